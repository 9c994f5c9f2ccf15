/* autocast.c - converting the inputs of calls to the type in which they are to be computed. */
#include "core/autocast.h"

#include "core/modes.h"
#include "core/tape.h"

#define FAST_TLS _Thread_local __attribute__((tls_model("initial-exec")))

static FAST_TLS cn_autocast state;

/* A parameter in the other type, for as long as it stays what it was. */
struct cn_cast_copy {
    cn_cast_copy *next;
    cn_tensor *of, *copy;
    uint32_t version;
};

static void drop_copies(cn_cast_copy *c)
{
    while (c) {
        cn_cast_copy *next = c->next;
        cn_drop(c->of);
        cn_drop(c->copy);
        cn_free(c);
        c = next;
    }
}

static void change_to(cn_autocast to)
{
    cn_mode_count(state.on, to.on);
    state = to;
}

int cn_set_autocast(int dtype)
{
    int was = state.on ? (int)state.dtype : CN_NO_DTYPE;
    if (dtype != CN_NO_DTYPE && dtype != CN_BF16 && dtype != CN_F16) {
        cn_fail(CN_EINVALID, "autocast: bfloat16 and float16 are possible, not %s",
                cn_dtype_name((cn_dtype)dtype));
        return was;
    }
    if (dtype == was) return was;
    drop_copies(state.copies);
    bool on = dtype != CN_NO_DTYPE;
    change_to((cn_autocast){ .on = on, .dtype = on ? (cn_dtype)dtype : CN_F32 });
    return was;
}

cn_autocast cn_autocast_now(void)
{
    return state;
}

bool cn_autocasting(void)
{
    return state.on && !state.paused;
}

cn_autocast cn_autocast_enter(const cn_autocast *like)
{
    cn_autocast was = state;
    change_to((cn_autocast){ .on = like->on, .paused = like->paused, .dtype = like->dtype });
    return was;
}

void cn_autocast_leave(cn_autocast back)
{
    drop_copies(state.copies);
    change_to(back);
}

bool cn_autocast_pause(bool on)
{
    bool was = state.paused;
    state.paused = on;
    return was;
}

/* ---- converting ---------------------------------------------------------------------------- */

static cn_tensor *convert(cn_tensor *t, cn_dtype dtype)
{
    static const cn_op *op;
    int32_t to = (int32_t)dtype;
    if (!op) op = cn_op_find("to");
    return cn_apply1(op, &t, 1, &to);
}

/* A copy that was made without being recorded is of no use to a recorded call. */
static cn_tensor *known_copy(const cn_tensor *t)
{
    for (cn_cast_copy **at = &state.copies; *at; at = &(*at)->next) {
        cn_cast_copy *c = *at;
        if (c->of != t) continue;
        if (c->version == t->storage->version && c->copy->requires_grad == cn_grad_enabled())
            return c->copy;
        *at = c->next, c->next = NULL;
        drop_copies(c);
        break;
    }
    return NULL;
}

static cn_tensor *converted_parameter(cn_tensor *t)
{
    cn_tensor *copy = known_copy(t);
    if (copy || !(copy = convert(t, state.dtype))) return copy;
    cn_cast_copy *c = cn_alloc(sizeof *c);
    if (!c) return NULL;
    *c = (cn_cast_copy){ state.copies, cn_ref(t), cn_ref(copy), t->storage->version };
    state.copies = c;
    return copy;
}

/* Who may write to it behind our back gets a fresh copy every time. */
static bool is_parameter(const cn_tensor *t)
{
    return t->requires_grad && !t->node && !t->storage->exposed;
}

static cn_tensor *as_wanted(cn_tensor *t, cn_cast_rule rule)
{
    cn_dtype want = rule == CN_CAST_LOW ? state.dtype : CN_F32;
    if (!t || !cn_dtype_is_float(t->v.dtype) || t->v.dtype == CN_F64 || t->v.dtype == want)
        return t;
    return rule == CN_CAST_LOW && is_parameter(t) ? converted_parameter(t) : convert(t, want);
}

bool cn_autocast_inputs(const cn_op *op, cn_tensor *const *in, int n, cn_tensor **to, bool *changed)
{
    cn_cast_rule rule = (cn_cast_rule)cn_cast_rules[op->id];
    *changed = rule != CN_CAST_NONE;
    for (int i = 0; *changed && i < n; i++) {
        to[i] = as_wanted(in[i], rule);
        if (in[i] && !to[i]) return false;
    }
    return true;
}
