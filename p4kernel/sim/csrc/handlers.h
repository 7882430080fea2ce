/* Numbers of the fast engine's handlers. */
#ifndef P4S_HANDLERS_H
#define P4S_HANDLERS_H

enum {
#define PSEUDO(name) P4S_H_##name##_M,
#define PLAIN(op) P4S_H_##op##_M,
#define FORWARD(op) P4S_H_##op##_M, P4S_H_##op##_A,
#define STORE(op) P4S_H_##op##_M, P4S_H_##op##_A, P4S_H_##op##_D,
#define PAIR(first, second, from) P4S_H_##first##_M_##second##_##from, P4S_H_##first##_A_##second##_##from,
#define PAIR_M(first, second, from) P4S_H_##first##_M_##second##_##from,
#define TRIPLE(first, second, third, from2, from3) \
    P4S_H_##first##_M_##second##_##from2##_##third##_##from3, P4S_H_##first##_A_##second##_##from2##_##third##_##from3,
#include "handlers.def"
    P4S_H_COUNT
};

#endif
