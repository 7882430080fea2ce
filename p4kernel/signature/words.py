"""Words that cannot be names."""

from __future__ import annotations

from typing import Final

__all__ = ["CPP_WORDS", "C_WORDS"]

C_WORDS: Final = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof "
    "bool true false NULL".split()
)

CPP_WORDS: Final = frozenset(
    "alignas alignof and and_eq bitand bitor catch char16_t char32_t class compl const_cast constexpr decltype delete "
    "dynamic_cast explicit export friend mutable namespace new noexcept not not_eq nullptr operator or or_eq private "
    "protected public reinterpret_cast static_assert static_cast template this thread_local throw try typeid typename "
    "using virtual wchar_t xor xor_eq".split()
)
"""Words of C++17 that are none of C."""
