/* A host that speaks to the firmware core over a bad link, and the checks of what the core does. One `fuzz` is one
 * case: a fresh machine, some hundred frames, and the end. All chance comes from `chance`, so a case repeats. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "fake_port.h"
#include "p4k_internal.h"

enum {
    FUZZ_SENT = 32,      /* requests that can be sent again */
    FUZZ_KNOWN = 8,      /* addresses and images that the host remembers */
    FUZZ_SEQS = 2048,    /* more than the requests of one case */
    FUZZ_VARIANTS = 40,  /* images that there are: more than the board holds */
    FUZZ_FRAME = P4K_HEAD + P4K_MAX_PAYLOAD + 4,
};

typedef struct {
    p4kw_header h; /* len may be a lie: `len` bytes of payload follow */
    uint32_t len;
    uint8_t payload[P4K_MAX_PAYLOAD];
} fuzz_frame;

/* What the host remembers about a request of its session. */
typedef struct {
    uint32_t seq; /* 0: nothing */
    uint8_t type;
    uint32_t variant;  /* of the image, with LOAD and COMMIT */
    uint32_t image;    /* of a COMMIT */
    uint32_t stream, at; /* bytes of its stream, and sent of it */
    uint32_t adds;     /* bytes that come back with one added, with CALL; 0: nobody knows what comes back */
    uint32_t size;     /* of the encoded frame */
    uint8_t bytes[FUZZ_FRAME];
} fuzz_request;

typedef struct {
    uint32_t id, variant;
    bool committed;
} fuzz_image;

typedef struct {
    uint32_t times;    /* that an answer came; 0: it is not finished */
    bool compare;      /* hash is of a reply that must always be the same */
    uint32_t hash, out_size, got, credit; /* got: bytes of the out stream without a gap */
    uint8_t status;
    uint32_t question; /* number of the last one that the call asked */
} fuzz_reply;

typedef struct {
    uint64_t cases, frames, bent, damaged, sessions, proved; /* proved: bytes of results that were compared */
    uint64_t statuses[256], types[256];          /* of replies, of the board's frames */
} fuzz_figures;

typedef struct {
    uint64_t chance;
    fake *board;
    p4k *core;
    bool honest;   /* all frames are as a good host makes them; only the link is bad */
    bool clouded; /* a frame or the machine was bad in a way that makes results wrong */
    uint32_t now, session, next, nonce;
    uint32_t acked, lied; /* what the host has in full; what it said without having it */
    uint32_t resend;      /* from this request on; 0: none */
    struct {
        uint32_t seq, number, size; /* seq 0: nobody asks */
    } question;
    fuzz_request sent[FUZZ_SENT];
    fuzz_reply replies[FUZZ_SEQS];
    uint32_t addresses[FUZZ_KNOWN];
    fuzz_image images[FUZZ_KNOWN];
    uint8_t kept[FUZZ_FRAME]; /* a frame that the link holds back or repeats */
    uint32_t kept_size;
    uint32_t in_size;
    uint64_t talked; /* bytes from the board */
    fuzz_figures *figures;
    uint8_t in[1 << 23]; /* from the board; frames are taken from its front */
} fuzz;

uint32_t fuzz_random(fuzz *);
static inline uint32_t fuzz_below(fuzz *f, uint32_t n) { return (uint32_t)((uint64_t)fuzz_random(f) * n >> 32); }
static inline bool fuzz_chance(fuzz *f, uint32_t in_1000) { return fuzz_below(f, 1000) < in_1000; }
#define FUZZ_PICK(f, ...)                                                                                              \
    ((const uint32_t[]){__VA_ARGS__}[fuzz_below(f, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))])

/* main.c */
_Noreturn void fuzz_fail(const char *what, uint64_t a, uint64_t b);
#define FUZZ_EXPECT(what, a, is, b)                                                                                    \
    do {                                                                                                               \
        uint64_t a_ = (a), b_ = (b);                                                                                   \
        if (!(a_ is b_))                                                                                               \
            fuzz_fail(what ": " #a " " #is " " #b, a_, b_);                                                            \
    } while (0)

/* make.c: frames as a host makes them */
void fuzz_make(fuzz *, fuzz_frame *, fuzz_request *);
uint32_t fuzz_image_bytes(uint32_t variant, uint8_t *to); /* the size of the image */

/* bend.c: frames with other fields, and bytes with damage */
bool fuzz_bend(fuzz *, fuzz_frame *); /* whether it changed anything */
uint32_t fuzz_encode(const fuzz_frame *, uint8_t *to);
void fuzz_transmit(fuzz *, const uint8_t *, uint32_t);

/* host.c: one case */
void fuzz_case(fuzz *, uint32_t frames);
fuzz_request *fuzz_request_of(fuzz *, uint32_t seq);

/* hear.c: what the board says */
void fuzz_hear(fuzz *);

/* check.c: what the board keeps */
void fuzz_check(fuzz *);
void fuzz_check_idle(fuzz *);

#endif
