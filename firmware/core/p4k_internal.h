/* The state of the core and what its parts offer to each other. All of it lives in one struct p4k. */
#ifndef P4K_INTERNAL_H
#define P4K_INTERNAL_H

#include <stdbool.h>
#include <string.h>

#include "p4k.h"
#include "p4k_protocol.h"

enum {
    P4K_HEAD = P4KW_HEADER_SIZE + 4, /* header and its CRC */
    P4K_CALLS = 4,                   /* calls that hold memory: running, filling, and results not yet acknowledged */
    P4K_NOTES = 8,                   /* answers to frames that belong to no accepted request */
    P4K_QUEUE = 2 * P4K_MAX_PAYLOAD, /* bytes of payload of requests that wait for an earlier one */
    P4K_NOTE_SIZE = P4KW_ERROR_SIZE, /* the larger of the two payloads that a note may have */
};

#define P4K_NONE 0xFFFFFFFFu /* no slot, no call, no buffer */
#define P4K_NEVER UINT64_MAX

/* A buffer of a call. Owned ones were allocated for it; the others lie in an allocation of the host's. */
typedef struct {
    p4k_addr address;
    uint32_t size;
    uint8_t direction;
    bool owned;
} p4k_buffer;

typedef struct {
    uint32_t id; /* 0: free */
    bool committed, condemned; /* condemned: to be freed when no call uses it any more */
    uint32_t users;            /* calls that run or will */
    uint64_t last_use;
    p4kw_load load;
    p4k_addr address, pristine; /* pristine: .data as it came, 0 when there is none */
    uint32_t text_crc;
} p4k_image;

/* What a CALL holds from HEADER until its results are acknowledged. */
typedef struct {
    bool used;
    p4k_image *image; /* NULL when the call has ended */
    p4kw_call head;
    p4k_addr blob, stack;
    uint32_t stack_size;
    uint32_t in_size, out_size, out_inline;
    uint32_t out_next; /* next byte of the out stream that goes into a DATA frame */
    p4k_buffer buffers[P4K_MAX_BUFFERS];
    uint32_t elapsed_us;
    p4k_event event; /* that ended it; its registers go into a fault report */
    uint32_t dump_address, dump_size;
    uint8_t dump[P4K_MAX_STACK_DUMP];
} p4k_call;

/* The stream of bytes that comes for a CALL or COMMIT. */
typedef struct {
    uint32_t size, have, granted;
    bool gap;
    uint32_t gap_high; /* highest offset seen behind the gap */
    uint64_t progress; /* time */
} p4k_fill;

/* One of the last P4K_MAX_REQUESTS requests; the place is seq % P4K_MAX_REQUESTS. */
typedef struct {
    bool live;
    uint8_t type, phase, status;
    bool owes_rsp, owes_pending, owes_nak, owes_credit;
    bool missed; /* DATA came while it waited and was thrown away */
    bool tried;  /* there was no memory for it when `frees` was `stamp` */
    uint32_t stamp;
    uint32_t seq;
    uint32_t call;    /* index, or P4K_NONE */
    uint32_t word[3]; /* the reply, or what is needed to make it */
    uint32_t payload, len; /* while it waits: in the queue */
    p4k_fill fill;
} p4k_slot;

typedef struct {
    p4k_addr address;
    uint32_t size;
} p4k_allocation;

typedef struct {
    uint8_t type, flags;
    uint32_t session, seq, arg;
    uint8_t len, payload[P4K_NOTE_SIZE];
} p4k_note;

typedef struct {
    bool in_body, direct; /* direct: the payload goes to where its stream wants it */
    uint32_t have;        /* bytes of the header, or of the body */
    uint32_t crc;
    uint64_t last; /* when bytes came */
    p4kw_header h;
    uint8_t head[P4K_HEAD];
    uint8_t body[P4K_MAX_PAYLOAD + 4];
} p4k_rx_state;

typedef struct {
    uint32_t len, sent; /* of the frame under way; len 0: none */
    bool blocked;       /* the port took nothing */
    uint8_t frame[P4K_HEAD + P4K_MAX_PAYLOAD + 4];
} p4k_tx_state;

/* Texts as {length u16, level u8, 0, bytes dropped before u32, text}, all of the call `seq`. */
typedef struct {
    uint32_t seq, start, used, dropped;
    uint8_t ring[P4K_MAX_LOG];
} p4k_log;

typedef struct {
    uint32_t slot; /* index of the running request, or P4K_NONE */
    uint32_t call; /* index of its call, or P4K_NONE: no kernel runs */
    bool broken; /* it did not even start */
    bool killed;
    uint8_t why;   /* status of a killed call */
    const char *text; /* what found no room in the log yet holds the kernel up */
    uint32_t text_size;
    uint8_t level;
    uint64_t since, limit, kill_limit, pending, log_limit; /* times */
    bool asking, owes_question; /* the kernel stands still until the host has answered */
    uint32_t questions, id;     /* asked so far; the function that the last one is for */
    p4k_addr message;
    uint32_t message_size;
    uint64_t asked; /* time */
} p4k_run;

struct p4k {
    p4k_port *port;
    p4k_info info;
    uint64_t now;
    uint64_t nonce, client_nonce;
    bool has_nonce;
    uint32_t session; /* 0: none */
    bool owes_hello;
    bool closing;  /* the session is over, its memory is freed when the running kernel is gone */
    bool resetting; /* the kernel's core is dead: reset when the answer is out */
    uint64_t reset_limit;
    bool refused;  /* a request found no room; NAK follows when there is some */
    bool seq_gap;
    uint32_t next, gap_seq; /* next seq wanted; highest seen behind a gap */
    p4k_slot slots[P4K_MAX_REQUESTS];
    p4k_call calls[P4K_CALLS];
    p4k_run run;
    uint32_t allocations_used;
    p4k_allocation allocations[P4K_MAX_ALLOCATIONS];
    p4k_addr stack; /* kept between calls */
    uint32_t stack_size;
    p4k_image images[P4K_MAX_IMAGES];
    uint32_t image_count; /* of all that were ever loaded: the generation in an image's id */
    uint64_t use_count;
    uint32_t notes_used;
    p4k_note notes[P4K_NOTES];
    uint32_t queue_used;
    uint32_t frees; /* how often there was a new chance of memory for a call */
    p4k_log log;
    p4k_rx_state rx;
    p4k_tx_state tx;
    uint8_t queue[P4K_QUEUE];
};

/* p4k_receive.c: bytes to frames */
bool p4k_receive(p4k *); /* at most one frame; true when bytes came */
void p4k_receive_reset(p4k *);
void p4k_receive_timeouts(p4k *, uint64_t *next);

/* p4k_send.c: frames to bytes */
bool p4k_send(p4k *); /* at most one frame; true when it went out */
void p4k_send_reply(p4k *, p4k_slot *);
bool p4k_quiet(const p4k *); /* nothing waits to be sent */
void p4k_note_status(p4k *, uint32_t session, uint32_t seq, uint8_t status, uint32_t detail, uint32_t extra);
void p4k_note_nak(p4k *, uint32_t seq); /* asks for the next request */

/* p4k_reply.c: the payload of a reply; returns its length */
uint32_t p4k_reply(p4k *, p4k_slot *, uint8_t *payload);
uint32_t p4k_reply_hello(const p4k *, uint8_t *payload);

/* p4k_session.c */
void p4k_frame(p4k *, const p4kw_header *, const uint8_t *payload);
void p4k_frame_broken(p4k *, const p4kw_header *);
void p4k_session_end(p4k *);
void p4k_session_free(p4k *);

/* p4k_request.c */
p4k_slot *p4k_slot_of(p4k *, uint32_t seq); /* NULL when it is none of the last ones accepted */
p4k_slot *p4k_oldest(p4k *);                /* of those that are not finished */
bool p4k_finished(const p4k_slot *);
void p4k_settle(p4k *, p4k_slot *); /* DRAIN ends when nothing is left to send */
void p4k_finish(p4k_slot *, uint8_t status, uint32_t detail, uint32_t extra);
void p4k_abandon(p4k *, p4k_slot *, uint8_t status);
void p4k_request(p4k *, const p4kw_header *, const uint8_t *payload);
void p4k_acknowledge(p4k *, uint32_t ack);
void p4k_cancel(p4k *, uint32_t seq);
void p4k_query(p4k *, uint32_t seq);
bool p4k_pump(p4k *);

/* p4k_command.c: false when the request has to wait */
bool p4k_command(p4k *, p4k_slot *, const uint8_t *payload, uint32_t len);
bool p4k_reads_open(const p4k *); /* a repetition could still ask for memory as it is now */

/* p4k_memory.c: memory for the board's own use, and the table of what the host allocated */
p4k_addr p4k_take(p4k *, uint32_t size, uint32_t align, uint32_t cap);
uint32_t p4k_largest(p4k *, uint32_t cap);
bool p4k_in_region(p4k *, p4k_addr, uint32_t cap);
bool p4k_request_ok(uint32_t align, uint32_t cap);
void p4k_allocate(p4k *, p4k_slot *, const p4kw_alloc *);
bool p4k_readable(const p4k *, p4k_addr, uint32_t size); /* by the host, and as the In buffer of a call */
bool p4k_writable(const p4k *, p4k_addr, uint32_t size);
bool p4k_discard(p4k *, const uint8_t *addresses, uint32_t count, uint32_t *unknown);
bool p4k_stack_take(p4k *, p4k_call *, uint32_t size);
void p4k_stack_leave(p4k *, p4k_call *);

/* p4k_image.c */
p4k_image *p4k_image_of(p4k *, uint32_t id); /* NULL when there is no such image (any more) */
uint32_t p4k_image_count(const p4k *);
bool p4k_image_evict(p4k *, uint32_t cap);
void p4k_image_free(p4k *, p4k_image *);
bool p4k_image_unpin(p4k *, p4k_addr); /* false: no pinned image is there */
bool p4k_image_holds(const p4k *, p4k_addr, uint32_t size, bool variables); /* a pinned one; its .data or .bss */
void p4k_image_load(p4k *, p4k_slot *, const uint8_t *payload);
void p4k_image_commit(p4k *, p4k_slot *, const uint8_t *payload, uint32_t len);
void p4k_image_committed(p4k *, p4k_slot *);
bool p4k_image_restore(p4k *, const p4k_image *);
void p4k_image_check(p4k *, p4k_image *);
void p4k_image_leave(p4k *, p4k_call *);

/* p4k_call.c */
bool p4k_call_begin(p4k *, p4k_slot *, const uint8_t *payload, uint32_t len);
void p4k_call_ended(p4k *, p4k_call *, bool keep);
void p4k_call_free(p4k *, p4k_call *);
bool p4k_call_reclaim(p4k *);

/* p4k_stream.c */
uint32_t p4k_window(const p4k *);
void p4k_fill_begin(p4k *, p4k_slot *, uint32_t size, const uint8_t *first, uint32_t len);
bool p4k_fill_wants(p4k *, const p4kw_header *);
void *p4k_fill_place(p4k *, const p4k_slot *, uint32_t offset, uint32_t *len);
void p4k_fill_advance(p4k *, p4k_slot *, uint32_t len);
void p4k_fill_other(p4k *, const p4kw_header *);
void p4k_fill_timeouts(p4k *, uint64_t *next);
void p4k_out_copy(p4k *, const p4k_call *, uint32_t offset, uint8_t *, uint32_t len);
void p4k_out_back(p4k *, uint32_t seq, uint32_t offset);

/* p4k_run.c: the one kernel that runs */
bool p4k_run_step(p4k *, bool *idle); /* idle: the executor had nothing to say, and is not asked again */
void p4k_run_kill(p4k *, uint8_t why); /* while one runs */
void p4k_run_answer(p4k *, const p4kw_header *, const uint8_t *message);
bool p4k_run_rests(const p4k *); /* nothing runs, or it waits for an answer */
void p4k_run_timeouts(const p4k *, uint64_t *next);

/* p4k_log.c: texts of the running call */
void p4k_log_clear(p4k *, uint32_t seq);
uint32_t p4k_log_put(p4k *, uint8_t level, const char *, uint32_t size); /* returns how much had room */
void p4k_log_drop(p4k *, uint32_t size);
void p4k_log_end(p4k *);
uint32_t p4k_log_take(p4k *, uint8_t *payload, uint32_t *dropped, uint8_t *level);

/* Each frame may need an answer: with no room for one, frames stay in the link. */
static inline bool p4k_may_receive(const p4k *k) { return !k->resetting && k->notes_used + 2 <= P4K_NOTES; }

static inline uint64_t p4k_us(uint32_t ms) { return ms * (uint64_t)1000; }

static inline void p4k_soonest(uint64_t *next, uint64_t time)
{
    if (time < *next)
        *next = time;
}

#endif
