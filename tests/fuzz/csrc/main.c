/* The program: case after case from a seed, until so many frames were sent or so many seconds are over. A failure
 * names its case, which `seed case 1` runs again alone. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { FRAMES_PER_CASE = 400, PATIENCE = 120 }; /* PATIENCE: seconds of one case; only what hangs needs more */

static uint64_t seed, number;
static fuzz now_running;
static char where[100]; /* what a signal's handler says */
static size_t where_size;

static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

uint32_t fuzz_random(fuzz *f)
{
    f->chance += 0x9E3779B97F4A7C15u;
    return (uint32_t)(mix(f->chance) >> 32);
}

/* Sanitizers end the program by abort(), a case that hangs ends by SIGALRM. */
static void stopped(int number_of_signal)
{
    if (write(STDERR_FILENO, where, where_size) < 0)
        _exit(3);
    if (number_of_signal == SIGALRM)
        abort();
}

/* What the host and the core think. */
static void describe(const fuzz *f)
{
    const p4k *k = f->core;
    fprintf(stderr, "host: session %08x next %u acked %u lied %u resend %u honest %d clouded %d\n", f->session, f->next,
            f->acked, f->lied, f->resend, f->honest, f->clouded);
    fprintf(stderr, "core: session %08x next %u flags %u now %llu closing %d resetting %d refused %d queue %u log %u "
            "notes %u rx %d,%u of %u unread %u tx %u of %u\n", k->session, k->next, k->info.flags,
            (unsigned long long)k->now, k->closing, k->resetting, k->refused, k->queue_used, k->log.used, k->notes_used,
            k->rx.in_body, k->rx.have, k->rx.h.len, fake_get(f->board, FAKE_UNREAD), k->tx.sent, k->tx.len);
    for (uint32_t i = 0; i < P4K_MAX_REQUESTS; i++) {
        const p4k_slot *s = &k->slots[(k->next + i) % P4K_MAX_REQUESTS];
        if (s->live)
            fprintf(stderr, "request %u: type %u phase %u status %u call %d rsp %d stream %u of %u, answered %u times"
                    "\n", s->seq, s->type, s->phase, s->status, (int)s->call, s->owes_rsp, s->fill.have, s->fill.size,
                    f->replies[s->seq % FUZZ_SEQS].times);
    }
}

void fuzz_fail(const char *what, uint64_t a, uint64_t b)
{
    fprintf(stderr, "\n%s (%llu, %llu)\n", what, (unsigned long long)a, (unsigned long long)b);
    describe(&now_running);
    abort();
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_case(fuzz_figures *figures)
{
    fuzz *f = &now_running;
    memset(f, 0, offsetof(fuzz, in));
    f->figures = figures;
    f->chance = mix(mix(seed) + number);
    f->board = fake_new();
    f->core = fake_core(f->board);
    f->now = 1000000;
    where_size = (size_t)snprintf(where, sizeof where, "\nfailed in seed %llu, case %llu\n", (unsigned long long)seed,
                                  (unsigned long long)number);
    alarm(PATIENCE);
    fuzz_case(f, FRAMES_PER_CASE);
    alarm(0);
    fake_delete(f->board);
}

static void print_figures(const fuzz_figures *g)
{
    printf("progress %llu %llu\n", (unsigned long long)g->frames, (unsigned long long)g->cases);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static fuzz_figures figures;

    if (argc != 6) {
        fprintf(stderr, "usage: %s seed first-case cases frames seconds (0: no limit)\n", argv[0]);
        return 2;
    }
    seed = strtoull(argv[1], NULL, 0);
    number = strtoull(argv[2], NULL, 0);
    uint64_t cases = strtoull(argv[3], NULL, 0), frames = strtoull(argv[4], NULL, 0);
    double most = strtod(argv[5], NULL), begin = seconds(), shown = begin;
    signal(SIGABRT, stopped);
    signal(SIGALRM, stopped);
    for (; (!cases || figures.cases < cases) && (!frames || figures.frames < frames); number++) {
        run_case(&figures);
        double now = seconds();
        if (now - shown > 0.25) {
            shown = now;
            print_figures(&figures);
        }
        if (most > 0 && now - begin > most)
            break;
    }
    print_figures(&figures);
    printf("bent %llu\ndamaged %llu\nsessions %llu\nproved %llu\n", (unsigned long long)figures.bent,
           (unsigned long long)figures.damaged, (unsigned long long)figures.sessions,
           (unsigned long long)figures.proved);
    for (int i = 0; i < 256; i++)
        if (figures.statuses[i])
            printf("status %d %llu\n", i, (unsigned long long)figures.statuses[i]);
    for (int i = 0; i < 256; i++)
        if (figures.types[i])
            printf("type %d %llu\n", i, (unsigned long long)figures.types[i]);
    return 0;
}
