/* loader.c - batches in order, prepared ahead by threads.

   The consumer decides everything: it draws the order of the samples, cuts it into batches,
   provides the memory, and puts the work into a ring. Workers take the next slot with work and
   write samples into it; which of them does it makes no difference.

       head                 taken        tail
       | done | busy | done | work | work |          slot of a number: number % n_slots

   Without workers, or when no thread can be had, one slot is used and the consumer fills it. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <cenote/rng.h>

#include "core/memory.h"
#include "data/dataset.h"
#include "data/transform.h"

enum { MAX_WORKERS = 256, MAX_PREFETCH = 1024, DEFAULT_PREFETCH = 4 };

typedef struct slot {
    int64_t n, epoch;
    int64_t *index; /* room for a whole batch */
    cn_tensor *tensors[CN_MAX_FIELDS];
    void *rows[CN_MAX_FIELDS]; /* their elements */
    bool done;
    cn_code code; /* of a worker's failure, with its message */
    char message[600];
} slot;

struct cn_loader {
    cn_loader_options o;
    cn_pipeline pipeline;
    int64_t batches;                   /* per epoch */
    int64_t epoch, position;           /* of the next batch to hand out */
    int64_t plan_epoch, plan_position; /* of the next batch to put into the ring */
    int64_t *order;                    /* of the samples in plan_epoch; NULL: as they are */
    int64_t order_epoch;               /* for which it was drawn; -1: none yet */

    slot *slots;
    int n_slots;
    int64_t head, tail; /* numbers of slots; only the consumer changes them */

    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int64_t taken; /* head <= taken <= tail; what follows is guarded by the lock, as slot.done is */
    int64_t posted; /* what workers may take: tail as they see it */
    bool stop;
    pthread_t *threads;
    int n_threads;
};

/* ---- doing the work of a slot -------------------------------------------------------------- */

static bool fill(const cn_loader *l, slot *s)
{
    const cn_dataset_class *c = &l->o.dataset->c;
    bool ok = l->pipeline.steps
                  ? cn_pipeline_fill(&l->pipeline, c, s->index, s->n, s->rows, l->o.seed, s->epoch)
                  : c->get(c->self, s->index, s->n, s->rows);
    return ok || cn_fail(CN_EIO, "data set %s: the samples could not be had", c->name);
}

/* Errors are the consumer's to see: they travel in the slot. */
static void fill_in_worker(const cn_loader *l, slot *s)
{
    s->code = CN_OK;
    if (fill(l, s)) return;
    s->code = cn_error_code();
    snprintf(s->message, sizeof s->message, "%s", cn_error());
    cn_error_clear();
}

static void *worker(void *context)
{
    cn_loader *l = context;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->stop && l->taken == l->posted) pthread_cond_wait(&l->work, &l->lock);
        if (l->stop) break;
        slot *s = &l->slots[l->taken++ % l->n_slots];
        pthread_mutex_unlock(&l->lock);
        fill_in_worker(l, s);
        pthread_mutex_lock(&l->lock);
        s->done = true;
        pthread_cond_signal(&l->done);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- planning ----------------------------------------------------------------------------- */

static void draw_order(cn_loader *l)
{
    if (!l->order || l->order_epoch == l->plan_epoch) return;
    cn_rng rng = cn_rng_make(l->o.seed, (uint64_t)l->plan_epoch);
    cn_rng_permutation(&rng, l->o.dataset->c.samples, l->order);
    l->order_epoch = l->plan_epoch;
}

static void choose_samples(cn_loader *l, slot *s)
{
    int64_t first = l->plan_position * l->o.batch, left = l->o.dataset->c.samples - first;
    s->n = left < l->o.batch ? left : l->o.batch;
    s->epoch = l->plan_epoch;
    draw_order(l);
    for (int64_t i = 0; i < s->n; i++) s->index[i] = l->order ? l->order[first + i] : first + i;
}

static void drop_tensors(slot *s)
{
    for (int i = 0; i < CN_MAX_FIELDS; i++) {
        cn_drop(s->tensors[i]);
        s->tensors[i] = NULL;
    }
}

/* The consumer's memory, for it is the consumer who gives it back: freed batches are used again. */
static bool provide_memory(const cn_loader *l, slot *s)
{
    const cn_dataset_class *c = &l->o.dataset->c;
    for (int i = 0; i < c->fields; i++) {
        const cn_field *f = i ? &c->field[i] : &l->pipeline.field[l->pipeline.steps];
        s->tensors[i] = cn_field_tensor(f, s->n);
        if (!s->tensors[i]) return drop_tensors(s), false;
        s->rows[i] = cn_data_mut(s->tensors[i]);
    }
    return true;
}

static void post(cn_loader *l, slot *s)
{
    pthread_mutex_lock(&l->lock);
    s->done = false;
    l->posted = ++l->tail;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&l->lock);
}

/* Fills the ring with work, into the next epoch where this one ends. */
static bool plan(cn_loader *l)
{
    int64_t ahead = l->n_threads ? l->n_slots : 1;
    while (l->tail - l->head < ahead) {
        slot *s = &l->slots[l->tail % l->n_slots];
        choose_samples(l, s);
        if (!provide_memory(l, s)) return false;
        if (++l->plan_position == l->batches) l->plan_epoch++, l->plan_position = 0;
        post(l, s);
    }
    return true;
}

/* Forgets what was planned. Work that a worker has begun is waited for. */
static void discard(cn_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->posted = l->tail = l->taken;
    for (int64_t i = l->head; l->n_threads && i < l->tail; i++)
        while (!l->slots[i % l->n_slots].done) pthread_cond_wait(&l->done, &l->lock);
    l->head = l->tail;
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_slots; i++) drop_tensors(&l->slots[i]);
    l->plan_epoch = l->epoch, l->plan_position = l->position;
    if (l->position == l->batches) l->plan_epoch++, l->plan_position = 0;
}

/* ---- making and freeing -------------------------------------------------------------------- */

/* As many as can be had. Signals are for the threads of the program. */
static void start_threads(cn_loader *l)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (l->n_threads < l->o.workers &&
           pthread_create(&l->threads[l->n_threads], NULL, worker, l) == 0)
        l->n_threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_threads(cn_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_threads; i++) pthread_join(l->threads[i], NULL);
    l->n_threads = 0;
}

static bool check_options(const cn_loader_options *o)
{
    if (!o->dataset) return cn_fail(CN_EINVALID, "loader: the data set is NULL");
    if (o->batch <= 0)
        return cn_fail(CN_EINVALID, "loader: .batch is %lld; it must be positive",
                       (long long)o->batch);
    if (o->workers < 0 || o->workers > MAX_WORKERS)
        return cn_fail(CN_EINVALID, "loader: .workers is %d; 0 to %d are possible", o->workers,
                       MAX_WORKERS);
    if (o->prefetch < 0 || o->prefetch > MAX_PREFETCH)
        return cn_fail(CN_EINVALID, "loader: .prefetch is %d; 0 to %d are possible", o->prefetch,
                       MAX_PREFETCH);
    return true;
}

static int64_t batches_of(const cn_loader_options *o)
{
    int64_t n = o->dataset->c.samples, whole = n / o->batch;
    return whole + (n % o->batch && !o->drop_last);
}

static bool make_slots(cn_loader *l)
{
    int64_t n = l->o.dataset->c.samples;
    size_t room = (size_t)(l->o.batch < n ? l->o.batch : n) * sizeof(int64_t);
    int wanted = !l->o.workers ? 1 : l->o.prefetch ? l->o.prefetch : DEFAULT_PREFETCH;
    l->slots = cn_alloc_zeroed((size_t)wanted * sizeof *l->slots);
    for (; l->slots && l->n_slots < wanted; l->n_slots++)
        if (!(l->slots[l->n_slots].index = cn_alloc(room))) return false;
    return l->slots != NULL;
}

static bool prepare(cn_loader *l)
{
    size_t bytes;
    cn_dataset_class *c = &l->o.dataset->c;
    if (!cn_pipeline_make(&l->pipeline, l->o.transform, c->field[0])) return false;
    if (!cn_mul_size((size_t)c->samples, sizeof(int64_t), &bytes, "loader")) return false;
    if (l->o.shuffle && !(l->order = cn_alloc(bytes))) return false;
    if (!(l->threads = cn_alloc((size_t)l->o.workers * sizeof *l->threads))) return false;
    return make_slots(l);
}

cn_loader *cn_loader_new_with(const cn_loader_options *options)
{
    cn_loader_options o;
    if (!cn_options_copy(&o, sizeof o, options, "loader") || !check_options(&o)) return NULL;
    cn_loader *l = cn_alloc_zeroed(sizeof *l);
    if (!l) return NULL;
    l->o = o;
    l->order_epoch = -1;
    l->batches = batches_of(&o);
    cn_dataset_keep(o.dataset);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->done, NULL);
    if (!prepare(l)) return cn_loader_free(l), NULL;
    start_threads(l);
    return l;
}

void cn_loader_free(cn_loader *l)
{
    if (!l) return;
    stop_threads(l);
    for (int i = 0; i < l->n_slots; i++) {
        drop_tensors(&l->slots[i]);
        cn_free(l->slots[i].index);
    }
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->done);
    cn_free(l->slots);
    cn_free(l->threads);
    cn_free(l->order);
    cn_dataset_free(l->o.dataset);
    cn_free(l);
}

/* ---- batches ------------------------------------------------------------------------------ */

static bool wait_for(cn_loader *l, slot *s)
{
    if (!l->n_threads) {
        l->taken = l->tail;
        return fill(l, s);
    }
    pthread_mutex_lock(&l->lock);
    while (!s->done) pthread_cond_wait(&l->done, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return s->code == CN_OK || cn_fail(s->code, "%s", s->message);
}

bool cn_loader_next(cn_loader *l, cn_batch *out)
{
    if (out) *out = (cn_batch){ 0 };
    if (!l || !out) return cn_fail(CN_EINVALID, "loader: it, or the place for the batch, is NULL");
    if (!cn_ok()) return false;
    if (l->position == l->batches) {
        l->epoch++, l->position = 0;
        return false;
    }
    slot *s = &l->slots[l->head % l->n_slots];
    if (!plan(l) || !wait_for(l, s)) return discard(l), false;
    cn_tensor *tensors[CN_MAX_FIELDS];
    memcpy(tensors, s->tensors, sizeof tensors);
    memset(s->tensors, 0, sizeof s->tensors);
    l->head++;
    if (!cn_batch_hand_over(out, tensors, s->n)) return discard(l), false;
    l->position++;
    return true;
}

int64_t cn_loader_batches(const cn_loader *l)
{
    return l ? l->batches : -1;
}

int64_t cn_loader_epoch(const cn_loader *l)
{
    return l ? l->epoch : -1;
}

cn_dataset *cn_loader_dataset(const cn_loader *l)
{
    return l ? l->o.dataset : NULL;
}

/* ---- resuming ----------------------------------------------------------------------------- */

bool cn_loader_state(const cn_loader *l, cn_loader_cursor *out)
{
    if (!l || !out) return cn_fail(CN_EINVALID, "loader: it, or the place for its state, is NULL");
    *out =
        (cn_loader_cursor){ l->o.seed, l->epoch, l->position, l->o.dataset->c.samples, l->o.batch };
    return true;
}

bool cn_loader_restore(cn_loader *l, const cn_loader_cursor *c)
{
    if (!l || !c) return cn_fail(CN_EINVALID, "loader: it, or the state to restore, is NULL");
    int64_t samples = l->o.dataset->c.samples;
    if (c->samples != samples || c->batch != l->o.batch)
        return cn_fail(CN_EINVALID,
                       "loader: the state is of %lld samples in batches of %lld, but "
                       "this loader has %lld in batches of %lld",
                       (long long)c->samples, (long long)c->batch, (long long)samples,
                       (long long)l->o.batch);
    if (c->epoch < 0 || c->position < 0 || c->position > l->batches)
        return cn_fail(CN_EINVALID, "loader: no batch %lld of %lld in epoch %lld",
                       (long long)c->position, (long long)l->batches, (long long)c->epoch);
    l->epoch = c->epoch, l->position = c->position;
    discard(l);
    l->o.seed = c->seed;
    l->order_epoch = -1;
    return true;
}
