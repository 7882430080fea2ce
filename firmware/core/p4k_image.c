/* Images: code that stays on the board between calls and sessions. An id carries a generation, so that the id of an
 * image that was dropped finds nothing. One that is pinned keeps state in its variables: it never makes room for others,
 * and ends with the session. */
#include "p4k_internal.h"

p4k_image *p4k_image_of(p4k *k, uint32_t id)
{
    p4k_image *image = &k->images[id % P4K_MAX_IMAGES];
    return id && image->id == id && !image->condemned ? image : NULL;
}

uint32_t p4k_image_count(const p4k *k)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        count += k->images[i].id != 0;
    return count;
}

void p4k_image_free(p4k *k, p4k_image *image)
{
    p4k_free(k->port, image->address);
    if (image->pristine)
        p4k_free(k->port, image->pristine);
    memset(image, 0, sizeof *image);
}

static bool pinned(const p4k_image *image) { return image->load.flags & P4K_LOAD_PIN; }

bool p4k_image_unpin(p4k *k, p4k_addr address)
{
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        if (k->images[i].id && pinned(&k->images[i]) && k->images[i].address == address) {
            /* Requests run in order: no call uses it. Tasks and timers may: then it goes when they are gone. */
            if (p4k_in_use(k->port, address, k->images[i].load.size))
                k->images[i].load.flags &= ~(uint32_t)P4K_LOAD_PIN;
            else
                p4k_image_free(k, &k->images[i]);
            return true;
        }
    return false;
}

static bool within(uint32_t offset, uint32_t size, uint32_t start, uint32_t room)
{
    return offset - start <= room && size <= room - (offset - start);
}

bool p4k_image_holds(const p4k *k, p4k_addr address, uint32_t size, bool variables)
{
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++) {
        const p4k_image *image = &k->images[i];
        const p4kw_load *load = &image->load;
        uint32_t offset = address - image->address;
        if (!image->id || !image->committed || !pinned(image))
            continue;
        if (variables ? within(offset, size, load->data_offset, load->data_size) ||
                            within(offset, size, load->bss_offset, load->bss_size)
                      : within(offset, size, 0, load->size))
            return true;
    }
    return false;
}

static bool lies_in(p4k *k, const p4k_image *image, uint32_t cap)
{
    return p4k_in_region(k, image->address, cap) || (image->pristine && p4k_in_region(k, image->pristine, cap));
}

/* Drops the image that was not used for longest, of those with a part in memory of such a kind. */
bool p4k_image_evict(p4k *k, uint32_t cap)
{
    p4k_image *oldest = NULL;
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++) {
        p4k_image *image = &k->images[i];
        if (image->id && image->committed && !pinned(image) && !image->users && (!oldest || image->last_use < oldest->last_use) &&
            lies_in(k, image, cap) && !p4k_in_use(k->port, image->address, image->load.size))
            oldest = image;
    }
    if (oldest)
        p4k_image_free(k, oldest);
    return oldest != NULL;
}

static bool apart(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
    return !a_size || !b_size || a + a_size <= b || b + b_size <= a;
}

/* The parts lie inside the image, and apart from each other. */
static bool good_layout(const p4kw_load *load)
{
    return load->text_size && load->text_size <= load->size && load->data_offset <= load->size &&
           load->data_size <= load->size - load->data_offset && load->bss_offset <= load->size &&
           load->bss_size <= load->size - load->bss_offset &&
           apart(0, load->text_size, load->data_offset, load->data_size) &&
           apart(0, load->text_size, load->bss_offset, load->bss_size) &&
           apart(load->data_offset, load->data_size, load->bss_offset, load->bss_size);
}

static bool same_layout(const p4kw_load *a, const p4kw_load *b)
{
    return a->size == b->size && a->text_size == b->text_size && a->data_offset == b->data_offset &&
           a->data_size == b->data_size && a->bss_offset == b->bss_offset && a->bss_size == b->bss_size &&
           a->flags == b->flags;
}

/* No image is condemned by then: LOAD comes when all calls before it have ended. */
static p4k_image *by_sha(p4k *k, const uint8_t *sha)
{
    for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
        if (k->images[i].id && !memcmp(k->images[i].load.sha, sha, 32))
            return &k->images[i];
    return NULL;
}

static p4k_image *free_place(p4k *k)
{
    do {
        for (uint32_t i = 0; i < P4K_MAX_IMAGES; i++)
            if (!k->images[i].id)
                return &k->images[i];
    } while (p4k_image_evict(k, 0));
    return NULL;
}

static uint8_t make_image(p4k *k, p4k_image *image, const p4kw_load *load)
{
    image->address = p4k_take(k, load->size, load->align, load->cap | P4K_CAP_EXEC);
    if (!image->address)
        return P4K_ST_NOMEM;
    if (load->data_size) {
        image->pristine = p4k_take(k, load->data_size, 4, 0);
        if (!image->pristine) {
            p4k_image_free(k, image);
            return P4K_ST_NOMEM;
        }
    }
    k->image_count = (k->image_count + 1) % (UINT32_MAX / P4K_MAX_IMAGES);
    image->id = (k->image_count + 1) * P4K_MAX_IMAGES + (uint32_t)(image - k->images);
    image->load = *load;
    return P4K_ST_OK;
}

void p4k_image_load(p4k *k, p4k_slot *slot, const uint8_t *payload)
{
    p4kw_load load;

    p4kw_get_load(&load, payload);
    if (load.generation && load.generation != k->info.generation) {
        p4k_finish(slot, P4K_ST_ABI, P4K_NONE, k->info.generation);
        return;
    }
    p4k_image *image = by_sha(k, load.sha);
    if (!good_layout(&load) || !p4k_request_ok(load.align, load.cap) || load.flags & ~(uint32_t)P4K_LOAD_PIN ||
        (image && image->committed && !same_layout(&image->load, &load))) {
        p4k_finish(slot, P4K_ST_ARG, P4K_NONE, 0);
        return;
    }
    if (image && !image->committed && !same_layout(&image->load, &load)) {
        p4k_image_free(k, image);
        image = NULL;
    }
    if (!image) {
        image = free_place(k);
        uint8_t status = image ? make_image(k, image, &load) : P4K_ST_LIMIT;
        if (status != P4K_ST_OK) {
            p4k_finish(slot, status, P4K_NONE, image ? p4k_largest(k, load.cap) : P4K_MAX_IMAGES);
            return;
        }
    }
    image->last_use = ++k->use_count;
    slot->word[0] = image->id;
    slot->word[1] = image->address;
    slot->word[2] = image->committed;
    p4k_finish(slot, P4K_ST_OK, 0, 0);
}

void p4k_image_commit(p4k *k, p4k_slot *slot, const uint8_t *payload, uint32_t len)
{
    p4kw_commit commit;

    p4kw_get_commit(&commit, payload);
    len -= P4KW_COMMIT_SIZE;
    const p4k_image *image = p4k_image_of(k, commit.image);
    if (!image) {
        p4k_finish(slot, P4K_ST_NO_IMAGE, P4K_NONE, commit.image);
        return;
    }
    uint32_t data_end = image->load.data_size ? image->load.data_offset + image->load.data_size : 0;
    if (image->committed || commit.size > image->load.size || commit.size < image->load.text_size ||
        commit.size < data_end || len > commit.size) {
        p4k_finish(slot, P4K_ST_ARG, P4K_NONE, image->load.size);
        return;
    }
    slot->word[0] = commit.image;
    p4k_fill_begin(k, slot, commit.size, payload + P4KW_COMMIT_SIZE, len);
}

/* All bytes of the image have come. */
void p4k_image_committed(p4k *k, p4k_slot *slot)
{
    p4k_image *image = p4k_image_of(k, slot->word[0]);
    if (!image) { /* GCOV_EXCL_BR_LINE: nothing drops an image while it is filled */
        p4k_abandon(k, slot, P4K_ST_NO_IMAGE);
        return;
    }
    uint8_t *memory = p4k_mem(k->port, image->address, image->load.size);
    uint8_t *pristine = image->pristine ? p4k_mem(k->port, image->pristine, image->load.data_size) : NULL;

    if (memory && (pristine || !image->load.data_size)) {
        const p4kw_load *load = &image->load;
        memset(memory + slot->fill.size, 0, load->size - slot->fill.size);
        memset(memory + load->bss_offset, 0, load->bss_size);
        if (pristine)
            memcpy(pristine, memory + load->data_offset, load->data_size);
        if (p4k_code_ready(k->port, image->address, load->size) == 0) {
            image->text_crc = p4k_crc32(k->port, 0, memory, load->text_size);
            image->committed = true;
            p4k_finish(slot, P4K_ST_OK, 0, 0);
            return;
        }
    }
    p4k_image_free(k, image);
    p4k_finish(slot, P4K_ST_ABI, P4K_NONE, 0); /* code cannot run there */
}

/* .data and .bss as they were after COMMIT. */
bool p4k_image_restore(p4k *k, const p4k_image *image)
{
    const p4kw_load *load = &image->load;

    if (load->data_size) {
        void *data = p4k_mem(k->port, image->address + load->data_offset, load->data_size);
        const void *pristine = p4k_mem(k->port, image->pristine, load->data_size);
        if (!data || !pristine)
            return false;
        memcpy(data, pristine, load->data_size);
    }
    if (load->bss_size) {
        void *bss = p4k_mem(k->port, image->address + load->bss_offset, load->bss_size);
        if (!bss)
            return false;
        memset(bss, 0, load->bss_size);
    }
    return true;
}

/* After a fault or kill: code that was written over is not run again. */
void p4k_image_check(p4k *k, p4k_image *image)
{
    const void *text = p4k_mem(k->port, image->address, image->load.text_size);
    if (!text || p4k_crc32(k->port, 0, text, image->load.text_size) != image->text_crc)
        image->condemned = true;
}

void p4k_image_leave(p4k *k, p4k_call *call)
{
    p4k_image *image = call->image;

    call->image = NULL;
    if (image && --image->users == 0 && image->condemned)
        p4k_image_free(k, image);
}
