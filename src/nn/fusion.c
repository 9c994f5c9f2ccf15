/* fusion.c - finding layers that belong together. */
#include "nn/fusion.h"

#include "core/autocast.h"
#include "ops/fused.h"
#include "ops/internal.h"

static cn_module *layer(const cn_module *sequence, int i)
{
    return i < sequence->n_children ? sequence->children[i].module : NULL;
}

/* ---- convolution, activation, pooling ------------------------------------------------------ */

static const char *activation_word(const cn_module *m)
{
    if (!m || !m->op) return NULL;
    if (m->op == &cn_op_relu) return "relu";
    if (m->op == &cn_op_sigmoid) return "sigmoid";
    return m->op == &cn_op_tanh ? "tanh" : NULL;
}

typedef struct {
    cn_ints kernel_size, stride, padding;
} Pool; /* how the options of AvgPool2d and MaxPool2d begin */

typedef struct {
    Pool pool;
    bool ceil_mode, count_include_pad;
    cn_opt_int divisor_override;
} AvgPool2d;

typedef struct {
    Pool pool;
    cn_ints dilation;
    bool return_indices, ceil_mode;
} MaxPool2d;

static bool both(const cn_ints *p, int64_t value)
{
    return p->v[0] == value && p->v[1] == value;
}

static bool halves(const Pool *p)
{
    return both(&p->kernel_size, 2) && (p->stride.n < 0 || both(&p->stride, 2)) &&
           both(&p->padding, 0);
}

static const char *pool_word(const cn_module *m)
{
    if (m && m->op == &cn_op_avg_pool2d) {
        const AvgPool2d *o = m->options;
        if (halves(&o->pool) && !o->ceil_mode && !o->divisor_override.given) return "avg";
    }
    if (m && m->op == &cn_op_max_pool2d) {
        const MaxPool2d *o = m->options;
        if (halves(&o->pool) && !o->ceil_mode && !o->return_indices && both(&o->dilation, 1))
            return "max";
    }
    return NULL;
}

static int run_conv_block(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y)
{
    const cn_module *conv = layer(sequence, first);
    cn_conv_block p;
    if (x->v.shape.ndim != 4 || !cn_is_plain_conv2d(conv, &p.padding)) return 0;
    int next = first + 1;
    p.activation = activation_word(layer(sequence, next));
    if (p.activation) next++;
    else p.activation = "none";
    p.pool = pool_word(layer(sequence, next));
    if (p.pool) next++;
    else p.pool = "none";
    cn_tensor *weight = conv->slots[0].tensor,
              *bias = conv->n_slots > 1 ? conv->slots[1].tensor : NULL;
    if (weight->v.shape.dim[1] != x->v.shape.dim[1])
        return 0; /* the layer itself says what is wrong */
    if (!cn_conv_block_pays(x, weight, bias, &p)) return 0;
    *y = cn_conv_block_call(x, weight, bias, &p);
    return *y ? next - first : -1;
}

/* ---- linear, activation -------------------------------------------------------------------- */

static int run_linear_act(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y)
{
    const cn_module *linear = layer(sequence, first), *activation = layer(sequence, first + 1);
    if (!cn_is_linear(linear) || !activation || !activation->op ||
        !cn_is_linear_activation(activation->op))
        return 0;
    cn_tensor *bias = linear->n_slots > 1 ? linear->slots[1].tensor : NULL;
    *y = cn_linear_act(x, linear->slots[0].tensor, bias, activation->op);
    return *y ? 2 : -1;
}

/* ---- relu ---------------------------------------------------------------------------------- */

static bool is_relu(const cn_module *m)
{
    return m && m->op == &cn_op_relu;
}

/* Batch norm in blocks writes what relu leaves, and its backward sees what relu let through. */
static bool includes_relu(const cn_module *norm, const cn_tensor *x)
{
    return x->v.block && norm->training && cn_is_batch_norm(norm);
}

static int run_norm_relu(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y)
{
    cn_module *norm = layer(sequence, first);
    if (!includes_relu(norm, x) || !is_relu(layer(sequence, first + 1))) return 0;
    *y = cn_batch_norm_relu_forward(norm, x);
    return *y ? 2 : -1;
}

/* For what nobody looks at again. */
static cn_tensor *relu_over(cn_tensor *y)
{
    return cn_apply_reusing(&cn_op_relu, &y, 1, NULL);
}

static bool gives_maxima(const cn_module *m)
{
    if (!m || m->op != &cn_op_max_pool2d) return false;
    const MaxPool2d *o = m->options;
    return !o->return_indices;
}

/* The largest of what relu leaves is what relu leaves of the largest, with the same gradient: relu
   is done after the pooling, on fewer elements. Later layers' inputs were made for them alone, so
   that relu can write over them. */
static int run_relu(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y)
{
    cn_module *pool = layer(sequence, first + 1);
    if (!is_relu(layer(sequence, first))) return 0;
    bool swap = gives_maxima(pool);
    if (!swap && first == 0) return 0;
    *y = relu_over(swap ? cn_forward(pool, x) : x);
    return !*y ? -1 : swap ? 2 : 1;
}

int cn_run_fused(cn_module *sequence, int first, cn_tensor *x, cn_tensor **y)
{
    const cn_module *m = layer(sequence, first);
    if (!m->built || m->watch || cn_autocasting()) return 0; /* each step has its own type */
    int n = run_relu(sequence, first, x, y);
    if (n == 0) n = run_linear_act(sequence, first, x, y);
    if (n == 0) n = run_norm_relu(sequence, first, x, y);
    return n ? n : run_conv_block(sequence, first, x, y);
}

/* ---- in classes of one's own --------------------------------------------------------------- */

cn_tensor *cn_forward_relu(cn_module *m, cn_tensor *x)
{
    if (!m || !x) return NULL;
    if (m->built && !m->watch && !cn_autocasting() && includes_relu(m, x))
        return cn_batch_norm_relu_forward(m, x);
    cn_tensor *y = cn_forward(m, x);
    return y == x ? cn_relu(y) : relu_over(y); /* some layers hand on what they get */
}

cn_tensor *cn_forward_add_relu(cn_module *m, cn_tensor *x, cn_tensor *other)
{
    const struct {
        cn_number_arg alpha;
    } one = { { .kind = CN_NUM_INT, .u.i = 1 } };
    cn_tensor *y = cn_forward(m, x);
    if (!y || !other) return NULL;
    if (y == x) return cn_relu(cn_add(y, other));
    return relu_over(cn_apply_reusing(&cn_op_add, (cn_tensor *[]){ y, other }, 2, &one));
}
