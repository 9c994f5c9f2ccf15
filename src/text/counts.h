/* counts.h - how often each tuple of so many numbers occurs. */
#ifndef CN_TEXT_COUNTS_H
#define CN_TEXT_COUNTS_H

#include <cenote/base.h>

/* Tuples in the order in which they were first counted. Zeroed, with `length` set, it is empty. */
typedef struct cn_counts {
    int64_t length; /* of a tuple */
    int64_t *keys;  /* tuple i begins at i * length */
    int64_t *count;
    int64_t used, room;
    int64_t *slots; /* hash table of tuples, -1: empty */
    size_t n_slots; /* a power of two */
} cn_counts;

/* Adds `by` to a tuple's count; false, with an error, when memory runs out. */
bool cn_counts_add(cn_counts *c, const int64_t *key, int64_t by);
int64_t cn_counts_find(const cn_counts *c, const int64_t *key); /* its place; -1: never counted */
int64_t cn_counts_of(const cn_counts *c, const int64_t *key);   /* 0: never counted */
void cn_counts_empty(cn_counts *c);                             /* keeps its memory */
void cn_counts_free(cn_counts *c);

#endif
