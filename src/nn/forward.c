/* forward.c - running modules: by position, by name, as an op. */
#include "core/tape.h"
#include "nn/running.h"

#include <cenote/autograd.h>

#include <string.h>

static int slot_named(const cn_module *m, const char *name)
{
    int i = 0;
    while (i < m->n_slots && strcmp(m->slots[i].name, name) != 0) i++;
    return i < m->n_slots ? i : -1;
}

/* Which inputs of the op are the module's own. */
static bool find_op_slots(cn_module *m)
{
    cn_schema schema;
    if (!cn_schema_parse(m->op->schema, &schema)) return false;
    if (m->op_inputs > (int)CN_COUNT(m->op_slots))
        return cn_fail(CN_EINVALID, "%s: %s takes too many tensors", m->cls->name, m->op->name);
    for (int i = 0, at = 0; i < schema.n_args; i++)
        if (schema.args[i].type == CN_ARG_TENSOR)
            m->op_slots[at++] = (signed char)slot_named(m, schema.args[i].name);
    m->op_outputs = schema.n_out < 1 ? 1 : schema.n_out;
    return true;
}

/* A class that makes nothing without an input is asked again when there is one. */
static bool finish_building(cn_module *m, const cn_shape *input)
{
    if (m->built) return true;
    bool empty = m->n_slots == 0 && m->n_children == 0;
    if (m->cls->build && empty && !m->cls->build(m, input)) return false;
    if (m->op && !find_op_slots(m)) return false;
    m->built = true;
    /* cn_init() drew what was there before: that may since have been loaded. */
    for (int i = 0; i < m->n_slots && m->init && empty; i++)
        if (!m->slots[i].is_buffer &&
            !m->init(m->slots[i].tensor, m->slots[i].name, m->init_context))
            return false;
    return true;
}

/* What of the op's tensors the module has itself, the caller does not give. */
static bool run_op(cn_module *m, cn_io *io)
{
    cn_tensor *in[CN_COUNT(m->op_slots)] = { NULL };
    int given = 0;
    for (int i = 0; i < m->op_inputs; i++) {
        if (m->op_slots[i] >= 0) in[i] = m->slots[(unsigned char)m->op_slots[i]].tensor;
        else if (given < io->n_in) in[i] = io->in[given++];
    }
    if (given < io->n_in)
        return cn_fail(CN_EINVALID, "%s: %d inputs are given, but it takes %d", m->cls->name,
                       io->n_in, given);
    io->n_out = m->op_outputs;
    return cn_apply(m->op, in, m->op_inputs, m->op_params, io->out, io->n_out);
}

static bool compute(cn_module *m, cn_io *io)
{
    return (m->op ? run_op(m, io) : m->cls->forward(m, io)) && io->out[0];
}

/* Backward must not find the result where it looks for the input. */
static bool compute_in_place(cn_module *m, cn_io *io)
{
    cn_tensor *t = io->in[0];
    if (cn_grad_enabled() && t->requires_grad) io->in[0] = cn_tape_shadow(t);
    bool ok = io->in[0] && compute(m, io), same = ok && io->out[0] == io->in[0];
    ok = ok && (same || cn_become(m->cls->name, t, io->out[0]));
    io->in[0] = io->out[0] = t;
    return ok;
}

static bool run(cn_module *m, cn_io *io)
{
    if (!finish_building(m, &io->in[0]->v.shape)) return false;
    if (!m->op && !m->cls->forward)
        return cn_fail(CN_EUNSUPPORTED, "%s: it only holds its parts; run those", m->cls->name);
    io->n_out = 1;
    if (!(m->in_place ? compute_in_place : compute)(m, io)) return false;
    if (m->watch) m->watch->seen(m->watch, m, io->in[0], io->out[0]);
    return true;
}

/* NULL is what a call that failed has given, whose error is pending; otherwise it is one itself. */
static bool no_module(void)
{
    return cn_fail(CN_EINVALID, "forward: the module is NULL");
}

static bool no_input(const cn_module *m, int i)
{
    return cn_fail(CN_EINVALID, "%s: input %d is NULL", m->cls->name, i);
}

bool cn_module_run(cn_module *m, cn_io *io)
{
    cn_running running;
    if (!m) return no_module();
    cn_running_begin(&running, m);
    bool ok = io->in[0] ? run(m, io) : no_input(m, 0);
    cn_running_end(&running, ok);
    return ok;
}

/* ---- by name ------------------------------------------------------------------------------- */

/* The tensors that the op takes and the module does not have. */
static bool inputs_of_op(const cn_module *m, cn_schema *s)
{
    if (!cn_schema_parse(m->op->schema, s)) return false;
    int n = 0;
    for (int i = 0; i < s->n_args; i++)
        if (s->args[i].type == CN_ARG_TENSOR && slot_named(m, s->args[i].name) < 0)
            s->args[n++] = s->args[i];
    s->n_args = n, s->params_size = 0;
    return true;
}

static bool forward_schema(const cn_module *m, cn_schema *s)
{
    if (m->op) return inputs_of_op(m, s);
    return cn_schema_parse(m->cls->inputs ? m->cls->inputs : "(Tensor input)", s);
}

bool cn_module_call(cn_module *m, const cn_ffi_arg *args, int n, cn_io *io)
{
    cn_schema schema;
    cn_bound b;
    if (!m) return no_module();
    if (!forward_schema(m, &schema) || !cn_bind(&schema, m->cls->name, args, n, &b)) return false;
    bool ok = b.n_in <= CN_MAX_IO;
    if (!ok) cn_fail(CN_EINVALID, "%s: %d inputs, at most %d", m->cls->name, b.n_in, CN_MAX_IO);
    *io = (cn_io){ .n_in = b.n_in, .args = b.params };
    for (int i = 0; ok && i < b.n_in; i++) io->in[i] = b.in[i];
    ok = ok && cn_module_run(m, io);
    cn_bound_clear(&b);
    return ok;
}

/* ---- by position --------------------------------------------------------------------------- */

/* Classes with a schema have defaults for what is not given. */
static bool call_positional(cn_module *m, cn_tensor *const *in, int n, cn_io *io)
{
    cn_ffi_arg args[CN_MAX_IO];
    for (int i = 0; i < n; i++) {
        args[i] = (cn_ffi_arg){ .value = { .kind = in[i] ? CN_KIND_TENSOR : CN_KIND_NONE } };
        if (in[i]) args[i].value.u.t = in[i];
    }
    return cn_module_call(m, args, n, io);
}

static bool run_plain(cn_module *m, cn_tensor *const *in, int n, cn_io *io)
{
    io->n_in = n;
    for (int i = 0; i < n; i++)
        if (!(io->in[i] = in[i])) return no_input(m, i);
    return cn_module_run(m, io);
}

bool cn_forward_all(cn_module *m, cn_tensor *const *in, int n_in, cn_tensor **out, int *n_out)
{
    cn_io io = { 0 };
    if (!m) return no_module();
    if (n_in < 1 || n_in > CN_MAX_IO)
        return cn_fail(CN_EINVALID, "%s: %d inputs, at most %d", m->cls->name, n_in, CN_MAX_IO);
    if (!in[0]) return no_input(m, 0);
    if (!(m->cls->inputs ? call_positional : run_plain)(m, in, n_in, &io)) return false;
    for (int i = 0; i < io.n_out && i < *n_out; i++) out[i] = io.out[i];
    *n_out = io.n_out < *n_out ? io.n_out : *n_out;
    return true;
}

cn_tensor *cn_forward(cn_module *m, cn_tensor *x)
{
    cn_tensor *y = NULL;
    int n = 1;
    return cn_forward_all(m, &x, 1, &y, &n) ? y : NULL;
}

bool cn_build(cn_module *m, cn_shape input)
{
    if (!m) return false;
    bool was = m->training, recorded = cn_set_grad_enabled(false);
    size_t mark = cn_mark();
    cn_train_mode(m, false);
    bool ok = cn_forward(m, cn_zeros(input, CN_F32)) != NULL;
    cn_train_mode(m, was);
    cn_release(mark);
    cn_set_grad_enabled(recorded);
    return ok;
}
