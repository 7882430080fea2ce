/* What compilers of C++ call by themselves. All of it is weak: a program may bring its own. */
#include <new>
#include <stdio.h>

extern "C" {
void *malloc(size_t size);
void free(void *block);

/* Destructors of globals would run when a program ends, and a kernel's variables just begin anew. */
__attribute__((weak)) void *__dso_handle = nullptr;

__attribute__((weak)) int __cxa_atexit(void (*)(void *), void *, void *) {
    return 0;
}

[[noreturn]] __attribute__((weak)) void __cxa_pure_virtual() {
    printf("p4kernel: a pure virtual function was called\n");
    __builtin_trap();
}

[[noreturn]] __attribute__((weak)) void __cxa_deleted_virtual() {
    printf("p4kernel: a deleted virtual function was called\n");
    __builtin_trap();
}
}

namespace {

constexpr size_t usual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

/* Room before an aligned block, where the address that malloc gave is kept. */
void *aligned(size_t size, size_t align) {
    if (align <= usual)
        return malloc(size ? size : 1);
    if (size > SIZE_MAX - align - sizeof(void *))
        return nullptr;
    void *block = malloc(size + align + sizeof(void *));
    if (!block)
        return nullptr;
    uintptr_t place = (reinterpret_cast<uintptr_t>(block) + sizeof(void *) + align - 1) & ~(align - 1);
    reinterpret_cast<void **>(place)[-1] = block;
    return reinterpret_cast<void *>(place);
}

void release(void *block, size_t align) {
    if (block && align > usual)
        block = static_cast<void **>(block)[-1];
    free(block);
}

void *sure(size_t size, size_t align) {
    void *block = aligned(size, align);
    if (!block) {
        printf("p4kernel: operator new: the board has no %lu bytes\n", static_cast<unsigned long>(size));
        __builtin_trap();
    }
    return block;
}

} // namespace

const std::nothrow_t std::nothrow{};

#define WEAK __attribute__((weak))
#define TAG const std::nothrow_t &
#define ALIGN std::align_val_t

WEAK void *operator new(size_t size) { return sure(size, usual); }
WEAK void *operator new[](size_t size) { return sure(size, usual); }
WEAK void *operator new(size_t size, TAG) noexcept { return aligned(size, usual); }
WEAK void *operator new[](size_t size, TAG) noexcept { return aligned(size, usual); }
WEAK void *operator new(size_t size, ALIGN align) { return sure(size, static_cast<size_t>(align)); }
WEAK void *operator new[](size_t size, ALIGN align) { return sure(size, static_cast<size_t>(align)); }
WEAK void *operator new(size_t size, ALIGN align, TAG) noexcept { return aligned(size, static_cast<size_t>(align)); }
WEAK void *operator new[](size_t size, ALIGN align, TAG) noexcept { return aligned(size, static_cast<size_t>(align)); }

WEAK void operator delete(void *block) noexcept { release(block, usual); }
WEAK void operator delete[](void *block) noexcept { release(block, usual); }
WEAK void operator delete(void *block, size_t) noexcept { release(block, usual); }
WEAK void operator delete[](void *block, size_t) noexcept { release(block, usual); }
WEAK void operator delete(void *block, TAG) noexcept { release(block, usual); }
WEAK void operator delete[](void *block, TAG) noexcept { release(block, usual); }
WEAK void operator delete(void *block, ALIGN align) noexcept { release(block, static_cast<size_t>(align)); }
WEAK void operator delete[](void *block, ALIGN align) noexcept { release(block, static_cast<size_t>(align)); }
WEAK void operator delete(void *block, size_t, ALIGN align) noexcept { release(block, static_cast<size_t>(align)); }
WEAK void operator delete[](void *block, size_t, ALIGN align) noexcept { release(block, static_cast<size_t>(align)); }
WEAK void operator delete(void *block, ALIGN align, TAG) noexcept { release(block, static_cast<size_t>(align)); }
WEAK void operator delete[](void *block, ALIGN align, TAG) noexcept { release(block, static_cast<size_t>(align)); }
