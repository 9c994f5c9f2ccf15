/* translator.h - what the catalogue says of a network from one sentence to another. */
#ifndef MODELS_TRANSLATOR_H
#define MODELS_TRANSLATOR_H

#include "models/models.h"

/* Trained as the book trains all of them (D2L 10.7, 11.4, 11.7): the first 600 pairs, ten words each. */
#define TRANSLATOR(ident, heading, chapter, parts)                                                 \
    const cn_model model_##ident = {                                                               \
        .name = #ident,                                                                            \
        .title = heading,                                                                          \
        .section = chapter,                                                                        \
        .about = "translates: " parts,                                                             \
        .input = { 1, { 10 } },                                                                    \
        .translates = true,                                                                        \
        .classes = 200,                                                                            \
        .batch = 64,                                                                               \
        .epochs = 300,                                                                             \
        .lr = 0.005,                                                                               \
        .optim = "adam",                                                                           \
        .clip = 1,                                                                                 \
        .limit = 600,                                                                              \
        .data = "fra-eng",                                                                         \
        .make = make,                                                                              \
    }

/* Words that a network made for this request can say. */
static inline int64_t cn_targets(const cn_model_request *r)
{
    return r->targets ? r->targets : r->classes;
}

#endif
