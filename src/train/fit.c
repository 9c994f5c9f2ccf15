/* fit.c - the training loop. */
#include "core/error.h"
#include "core/tensor.h"
#include "train/checkpoint.h"
#include "train/metrics.h"

#include <cenote/autocast.h>
#include <cenote/autograd.h>
#include <cenote/functional.h>
#include <cenote/profile.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t stop_requested;

void cn_request_stop(void)
{
    stop_requested = 1;
}

typedef struct {
    cn_fit_options o;
    cn_loader *train;
    cn_metrics *metrics; /* NULL: no run folder */
    cn_run_state state;
    double began;          /* on the clock, so that state.seconds = now - began */
    double called, waited; /* this call's beginning, and how long it waited for batches */
    double last_loss;      /* of the last step */
    bool interrupted, stopped_early;
} Run;

/* ---- reporting ----------------------------------------------------------------------------- */

static cn_fit_progress progress_of(Run *r, cn_fit_event event)
{
    const cn_run_state *s = &r->state;
    bool between = s->seen == 0;
    r->state.seconds = cn_seconds() - r->began;
    double examples = (double)cn_dataset_samples(r->o.train) * (double)s->epoch + (double)s->seen;
    return (cn_fit_progress){
        .event = event,
        .epoch = s->epoch,
        .epochs = r->o.epochs,
        .step = s->step,
        .steps = (cn_loader_batches(r->train) + r->o.accumulate - 1) / r->o.accumulate,
        .train_loss = between ? s->last_loss : s->loss_sum / (double)s->seen,
        .train_acc = between ? s->last_acc : s->correct / (double)s->seen,
        .test_loss = s->test_loss,
        .test_acc = s->test_acc,
        .lr = cn_lr(r->o.optim, 0),
        .examples_per_second = s->seconds > 0 ? examples / s->seconds : 0,
        .seconds = s->seconds,
        .stopped_early = r->stopped_early,
        .interrupted = r->interrupted,
        .loss = r->last_loss,
        .data_wait = r->waited / (cn_seconds() - r->called),
    };
}

static void report(Run *r, cn_fit_event event)
{
    if (!r->o.watch) return;
    cn_fit_progress p = progress_of(r, event);
    r->o.watch(&p, r->o.watch_context);
}

/* ---- one step ------------------------------------------------------------------------------ */

static cn_tensor *default_loss(cn_tensor *output, const cn_batch *batch, void *context)
{
    (void)context;
    return cn_cross_entropy(output, batch->y);
}

static cn_tensor *default_run(cn_module *net, const cn_batch *batch, void *context)
{
    (void)context;
    return cn_forward(net, batch->x);
}

/* Scores (N, classes, d1, ..) and targets (N, d1, ..). */
static bool are_classes(const cn_tensor *output, const cn_tensor *y)
{
    if (!output || !y || cn_dtype_of(y) != CN_I64 || cn_ndim(output) < 2 ||
        cn_ndim(output) != cn_ndim(y) + 1)
        return false;
    for (int i = 0; i < cn_ndim(y); i++)
        if (cn_size(y, i) != cn_size(output, i ? i + 1 : 0)) return false;
    return true;
}

/* Each sample counts by its share of right places. */
static double correct_places(cn_tensor *output, const cn_batch *b)
{
    cn_tensor *share = NULL;
    CN_NO_GRAD share = cn_mean(cn_to(cn_eq(cn_argmax(output, .dim = CN_SHAPE(1)), b->y), CN_F32));
    return cn_item(share) * (double)b->size;
}

/* How many rows have their largest score at the target; 0 where that makes no sense. */
static double correct_in(cn_tensor *output, const cn_batch *b)
{
    if (output && cn_dtype_is_float(cn_dtype_of(output)) && cn_dtype_of(output) != CN_F32)
        output = cn_to(cn_detach(output), CN_F32);
    if (!are_classes(output, b->y)) return 0;
    if (cn_ndim(output) > 2) return correct_places(output, b);
    const float *scores = cn_dtype_of(output) == CN_F32 ? cn_data(output) : NULL;
    const int64_t *target = cn_data(b->y), classes = cn_size(output, 1);
    double count = 0;
    for (int64_t i = 0; scores && i < b->size; i++) {
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++)
            if (scores[i * classes + k] > scores[i * classes + best]) best = k;
        count += best == target[i];
    }
    return count;
}

static bool check_loss(const Run *r, double loss)
{
    if (isfinite(loss)) return true;
    return cn_fail(CN_EDIVERGED,
                   "training diverged: the loss is %g at epoch %lld, step %lld; lower the "
                   "learning rate (now %g) or clip the gradients",
                   loss, (long long)r->state.epoch + 1, (long long)r->state.step + 1,
                   cn_lr(r->o.optim, 0));
}

static cn_tensor *loss_of(Run *r, const cn_batch *b, cn_tensor **output)
{
    int was = r->o.amp ? cn_set_autocast((int)r->o.amp) : CN_NO_DTYPE;
    *output = r->o.recompute ? cn_checkpoint_sequential(r->o.net, r->o.recompute, b->x)
                             : r->o.run(r->o.net, b, r->o.run_context);
    cn_tensor *loss = *output ? r->o.loss(*output, b, r->o.loss_context) : NULL;
    if (r->o.amp) cn_set_autocast(was);
    return loss;
}

/* Adds the gradient of `share` times the loss. */
static bool add_gradient(cn_tensor *loss, double share)
{
    if (share == 1) return cn_backward(loss);
    cn_tensor *cotangent = cn_full(*cn_shape_of(loss), share, cn_dtype_of(loss));
    return cotangent && cn_backward_of(&loss, &cotangent, 1, NULL);
}

static bool train_batch(Run *r, const cn_batch *b, double share)
{
    cn_tensor *output, *loss = loss_of(r, b, &output);
    double value = cn_item(loss);
    if (!cn_ok() || !check_loss(r, value) || !add_gradient(loss, share)) return false;
    r->last_loss += value * share;
    r->state.loss_sum += value * (double)b->size;
    r->state.correct += correct_in(output, b);
    r->state.seen += b->size;
    return true;
}

static bool update(Run *r)
{
    bool ok = false;
    CN_PROFILE("optimiser")
    {
        if (r->o.clip > 0) cn_clip_grad_norm_of(r->o.optim, r->o.clip);
        ok = cn_step(r->o.optim);
        cn_optim_zero_grad(r->o.optim);
    }
    r->state.step += ok;
    return ok;
}

static bool next_batch(Run *r, cn_batch *b)
{
    double t = cn_seconds();
    bool ok = false;
    CN_PROFILE("waiting for data") ok = cn_loader_next(r->train, b);
    r->waited += cn_seconds() - t;
    return ok;
}

/* The batches of one step, of which `b` is the first; the last step of an epoch may have fewer. */
static bool train_step(Run *r, cn_batch *b)
{
    const int64_t done = r->state.step * r->o.accumulate, left = cn_loader_batches(r->train) - done;
    const int64_t n = left < r->o.accumulate ? left : r->o.accumulate;
    int64_t samples = cn_dataset_samples(r->o.train) - done * r->o.batch;
    if (samples > n * r->o.batch) samples = n * r->o.batch;
    r->last_loss = 0;
    for (int64_t i = 0; i < n; i++) {
        size_t mark = cn_mark();
        bool ok =
            (i == 0 || next_batch(r, b)) && train_batch(r, b, (double)b->size / (double)samples);
        cn_release(mark);
        if (!ok) return false;
    }
    return update(r);
}

/* ---- evaluation ---------------------------------------------------------------------------- */

/* `o`: how the network is run, and its loss. */
static bool score_batches(const cn_fit_options *o, cn_loader *loader, cn_score *s)
{
    cn_batch b;
    size_t mark = cn_mark();
    while (cn_loader_next(loader, &b)) {
        cn_tensor *output = o->run(o->net, &b, o->run_context);
        s->loss += cn_item(o->loss(output, &b, o->loss_context)) * (double)b.size;
        s->accuracy += correct_in(output, &b);
        s->samples += b.size;
        cn_release(mark);
        if (!cn_ok()) return false;
    }
    s->loss /= (double)s->samples;
    s->accuracy /= (double)s->samples;
    return cn_ok();
}

static bool evaluate(const cn_fit_options *o, cn_loader *loader, cn_score *out)
{
    bool was = cn_is_training(o->net), grad = cn_set_grad_enabled(false);
    *out = (cn_score){ 0 };
    cn_train_mode(o->net, false);
    bool ok = score_batches(o, loader, out);
    cn_train_mode(o->net, was);
    cn_set_grad_enabled(grad);
    return ok;
}

bool cn_evaluate(cn_module *net, cn_dataset *data, int64_t batch, cn_loss_fn *loss, void *context,
                 cn_score *out)
{
    const cn_fit_options o = { .size = sizeof o,
                               .net = net,
                               .validate = data,
                               .batch = batch,
                               .loss = loss,
                               .loss_context = context };
    return cn_evaluate_with(&o, out);
}

bool cn_evaluate_with(const cn_fit_options *given, cn_score *out)
{
    cn_fit_options o = { 0 };
    memcpy(&o, given, given->size < sizeof o ? given->size : sizeof o);
    if (!o.run) o.run = default_run;
    if (!o.loss) o.loss = default_loss;
    cn_loader *loader = o.net ? cn_loader_new(o.validate, .batch = o.batch) : NULL;
    bool ok = loader && evaluate(&o, loader, out);
    cn_loader_free(loader);
    return ok;
}

static bool validate(Run *r)
{
    cn_score s;
    if (!r->o.validate) return true;
    cn_loader *loader = cn_loader_new(r->o.validate, .batch = r->o.batch, .workers = r->o.workers);
    bool ok = loader && evaluate(&r->o, loader, &s);
    cn_loader_free(loader);
    if (ok) r->state.test_loss = s.loss, r->state.test_acc = s.accuracy;
    return ok;
}

/* ---- epochs -------------------------------------------------------------------------------- */

static bool save_checkpoint(Run *r)
{
    if (!r->o.out) return true;
    r->state.seconds = cn_seconds() - r->began;
    if (!cn_metrics_flush(r->metrics, &r->state.metrics_bytes)) return false;
    return cn_checkpoint_save(r->o.out, &r->o, r->train, &r->state);
}

static bool finish_epoch(Run *r)
{
    cn_run_state *s = &r->state;
    s->last_loss = s->loss_sum / (double)s->seen, s->last_acc = s->correct / (double)s->seen;
    s->loss_sum = s->correct = 0, s->seen = s->step = 0;
    s->epoch++;
    if (!validate(r)) return false;
    bool better = !(s->test_acc <= s->best_acc);
    if (better) s->best_acc = s->test_acc, s->epochs_since_best = 0;
    else s->epochs_since_best++;
    r->stopped_early = r->o.patience && s->epochs_since_best >= r->o.patience;
    cn_fit_progress p = progress_of(r, CN_FIT_EPOCH);
    if (r->metrics && !cn_metrics_epoch(r->metrics, &p)) return false;
    if (r->o.sched && !cn_sched_observe(r->o.sched, s->test_loss)) return false;
    s->sched = cn_sched_remember(r->o.sched);
    if (r->o.watch) r->o.watch(&p, r->o.watch_context);
    return save_checkpoint(r);
}

static bool stop_here(Run *r)
{
    r->interrupted = true;
    if (!save_checkpoint(r)) return false;
    return cn_fail(CN_EINTERRUPTED, "stopped in epoch %lld after step %lld%s%s",
                   (long long)r->state.epoch + 1, (long long)r->state.step,
                   r->o.out ? "; saved, go on with --resume " : "", r->o.out ? r->o.out : "");
}

static bool log_step(Run *r)
{
    if (!r->metrics || !r->o.log_steps || r->state.step % r->o.log_steps) return true;
    cn_fit_progress p = progress_of(r, CN_FIT_STEP);
    return cn_metrics_step(r->metrics, &p);
}

static bool run_epoch(Run *r)
{
    cn_batch b;
    size_t mark = cn_mark();
    while (next_batch(r, &b)) {
        bool ok = train_step(r, &b);
        cn_release(mark);
        if (!ok || !log_step(r)) return false;
        report(r, CN_FIT_STEP);
        int64_t every = r->o.checkpoint_steps;
        if (every && r->state.step % every == 0 && !save_checkpoint(r)) return false;
        if (stop_requested) return stop_here(r);
    }
    return cn_ok() && finish_epoch(r);
}

static bool run_all(Run *r)
{
    report(r, CN_FIT_BEGIN);
    while (r->state.epoch < r->o.epochs && !r->stopped_early)
        if (!run_epoch(r)) return false;
    return true;
}

/* ---- beginning and end --------------------------------------------------------------------- */

static bool resolve(const cn_fit_options *given, cn_fit_options *o)
{
    memset(o, 0, sizeof *o);
    memcpy(o, given, given->size < sizeof *o ? given->size : sizeof *o);
    if (!o->net || !o->train || !o->optim)
        return cn_fail(CN_EINVALID, "fit: a network, a data set and an optimiser are needed");
    if (o->batch < 0 || o->epochs < 0)
        return cn_fail(CN_EINVALID, "fit: batch %lld, epochs %lld: must not be negative",
                       (long long)o->batch, (long long)o->epochs);
    if (o->accumulate < 0 || o->recompute < 0 || o->log_steps < 0)
        return cn_fail(CN_EINVALID,
                       "fit: accumulate, recompute and log_steps must not be negative");
    if (!o->accumulate) o->accumulate = 1;
    if (!o->batch) o->batch = 256;
    if (!o->epochs) o->epochs = 10;
    if (!o->loss) o->loss = default_loss;
    if (o->run && o->recompute)
        return cn_fail(CN_EINVALID, "fit: a network with a run of its own cannot be recomputed");
    if (!o->run) o->run = default_run;
    return true;
}

static bool begin(Run *r)
{
    const cn_fit_options *o = &r->o;
    cn_loader_options l = { .size = sizeof l,
                            .dataset = o->train,
                            .batch = o->batch,
                            .shuffle = true,
                            .seed = o->seed,
                            .workers = o->workers };
    memcpy(l.transform, o->transform, sizeof l.transform);
    r->train = cn_loader_new_with(&l);
    r->state = (cn_run_state){ .test_loss = (double)NAN,
                               .test_acc = (double)NAN,
                               .best_acc = -1,
                               .last_loss = (double)NAN,
                               .last_acc = (double)NAN };
    if (!r->train) return false;
    if (o->out && !cn_checkpoint_folder(o->out)) return false;
    bool resume = o->resume && o->out && cn_checkpoint_exists(o->out);
    if (resume && !cn_checkpoint_load(o->out, o, r->train, &r->state)) return false;
    r->called = cn_seconds(), r->last_loss = (double)NAN;
    r->began = r->called - r->state.seconds;
    if (!o->out) return true;
    r->metrics = cn_metrics_open(o->out, r->state.metrics_bytes);
    return r->metrics && (resume || save_checkpoint(r));
}

static bool save_model(const Run *r)
{
    char path[1024];
    if (!r->o.out) return true;
    snprintf(path, sizeof path, "%s/model.safetensors", r->o.out);
    cn_dict *d = cn_state_dict(r->o.net);
    bool ok = d && cn_save(path, d);
    cn_dict_free(d);
    return ok;
}

bool cn_fit_with(const cn_fit_options *options, cn_fit_progress *last)
{
    Run r = { .called = cn_seconds() };
    if (!cn_ok() || !resolve(options, &r.o)) return false;
    stop_requested = 0;
    size_t mark = cn_mark();
    bool was = cn_is_training(r.o.net);
    cn_train_mode(r.o.net, true);
    bool ok = begin(&r) && run_all(&r) && save_model(&r);
    if (r.train && last) *last = progress_of(&r, CN_FIT_END);
    if (ok) report(&r, CN_FIT_END);
    cn_train_mode(r.o.net, was);
    cn_metrics_close(r.metrics);
    cn_loader_free(r.train);
    cn_release(mark);
    return ok;
}
