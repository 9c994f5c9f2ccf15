/* encoder_decoder.h - from one sequence to another: the interface of encoders and decoders, and what all
   pairs of them share (D2L 10.6, 10.7).

   An encoder is a module: forward(source, lengths) makes tensors, of which the decoder knows the meaning.
   A decoder is one, too: forward(tokens, state...) makes the scores (batch, steps, vocabulary) and the
   state after these steps, as many tensors as it took. Between the two stands init_state(), which
   makes the first state of what was encoded:

       cn_module *net = cn_encoder_decoder(encoder, decoder, init_state);
       scores = cn_seq_scores(net, source, lengths, cn_seq_shifted(target, bos));     (training)

       cn_seq_state s;
       cn_seq_begin(net, source, lengths, &s);                                        (step by step)
       scores = cn_seq_step(net, tokens, &s);

   Token ids are int64, (batch, steps); lengths (batch) int64 say how many of a source's tokens count. */
#ifndef MODELS_ENCODER_DECODER_H
#define MODELS_ENCODER_DECODER_H

#include <cenote/cenote.h>

enum { CN_SEQ_PARTS = CN_MAX_IO - 1 };

/* What was encoded, or what a decoder carries on: tensors of the current scope. A state that grows, such
   as the keys of all steps so far, begins with tensors of no steps. */
typedef struct cn_seq_state {
    int n;
    cn_tensor *part[CN_SEQ_PARTS];
    int batch[CN_SEQ_PARTS]; /* which dimension of a part counts the sentences */
} cn_seq_state;

/* Fills `state`, with `batch` for each part. `lengths` is NULL when all tokens count. */
typedef bool cn_init_state(cn_module *decoder, const cn_seq_state *encoded, cn_tensor *lengths,
                           cn_seq_state *state);

/* A module of both, its children "encoder" and "decoder", that runs with cn_forward_all():
   {source, target, lengths} to scores; without a target it is the source. Takes them over, also on failure. */
cn_module *cn_encoder_decoder(cn_module *encoder, cn_module *decoder, cn_init_state *init_state);
/* With parameters drawn as in the book: Xavier for all matrices but embeddings, which are N(0, 1). Gives the
   net back; NULL, and nothing left of it, on failure. */
cn_module *cn_seq_drawn(cn_module *net);
cn_module *cn_seq_encoder(cn_module *net); /* borrowed */
cn_module *cn_seq_decoder(cn_module *net);

/* The encoder, and the first state of the decoder. */
bool cn_seq_begin(cn_module *net, cn_tensor *source, cn_tensor *lengths, cn_seq_state *state);
/* The decoder goes on by so many tokens as there are: scores (batch, steps, vocabulary). */
cn_tensor *cn_seq_step(cn_module *net, cn_tensor *tokens, cn_seq_state *state);
/* Row i becomes what row rows[i] was; rows may repeat or be missing. */
bool cn_seq_select(cn_seq_state *state, cn_tensor *rows);
/* The state outlives the current scope, and replaces what `held` owned (n 0: nothing). */
bool cn_seq_hold(cn_seq_state *held, const cn_seq_state *state);
void cn_seq_drop(cn_seq_state *held);

/* ---- training: the decoder sees what it should have said (teacher forcing) ---------------------- */

/* `bos`, and the target without its last token: the decoder's input. */
cn_tensor *cn_seq_shifted(cn_tensor *target, int64_t bos);
cn_tensor *cn_seq_scores(cn_module *net, cn_tensor *source, cn_tensor *lengths, cn_tensor *target);

/* x (batch, steps, ...) with `value` from step lengths[i] of row i on. D2L 10.7.3. */
cn_tensor *cn_sequence_mask(cn_tensor *x, cn_tensor *lengths, double value);
/* Cross-entropy of scores (batch, steps, vocabulary) in which only so many steps of each target count:
   a number for each row, their sum over the number of all steps, counted or not, as in the book. */
cn_tensor *cn_masked_cross_entropy(cn_tensor *scores, cn_tensor *target, cn_tensor *lengths);

/* For cn_fit() on batches of cn_pairs: the scores of a batch under teacher forcing, and the mean loss of
   its tokens without padding. */
cn_tensor *cn_seq_run(cn_module *net, const cn_batch *batch, void *context);
cn_tensor *cn_seq_loss(cn_tensor *scores, const cn_batch *batch, void *context);

/* ---- prediction ------------------------------------------------------------------------------------ */

typedef struct cn_seq_search {
    int64_t bos, eos, steps; /* as in cn_beam_options */
    int64_t beams;           /* 0: 1, greedy search */
    double alpha;
    int64_t keep; /* 0: as many as beams */
} cn_seq_search;

/* The most likely targets of one source (1, steps), best first, into out[]; how many, or -1. The net
   should not be training. cn_hypothesis_free() each. */
int64_t cn_seq_predict(cn_module *net, cn_tensor *source, cn_tensor *lengths,
                       const cn_seq_search *search, cn_hypothesis *out);

/* A sentence in words, as cn_pairs_tokenize() takes it, padded or cut to `steps`: the words of the most
   likely translation. `score`, if not NULL, gets its score. */
cn_tokens *cn_translate(cn_module *net, const cn_vocab *source, const cn_vocab *target,
                        const char *sentence, int64_t steps, const cn_seq_search *search,
                        double *score);

#endif
