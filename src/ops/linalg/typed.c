/* typed.c - functions for C of linear algebra that have none beside their entries. */
#include "ops/linalg/linalg.h"

#include <stdlib.h>
#include <string.h>

cn_eigen cn_linalg_eigh(cn_tensor *a)
{
    const struct {
        const char *uplo;
    } p = { "L" };
    cn_tensor *out[2];
    if (!a || !cn_apply(&cn_op_linalg_eigh, &a, 1, &p, out, 2)) return (cn_eigen){ NULL, NULL };
    return (cn_eigen){ out[0], out[1] };
}

cn_svd_parts cn_linalg_svd(cn_tensor *a, bool full_matrices)
{
    const struct {
        bool full;
        const char *driver;
    } p = { full_matrices, NULL };
    cn_tensor *out[3];
    if (!a || !cn_apply(&cn_op_linalg_svd, &a, 1, &p, out, 3))
        return (cn_svd_parts){ NULL, NULL, NULL };
    return (cn_svd_parts){ out[0], out[1], out[2] };
}

cn_qr_parts cn_linalg_qr(cn_tensor *a)
{
    const struct {
        const char *mode;
    } p = { "reduced" };
    cn_tensor *out[2];
    if (!a || !cn_apply(&cn_op_linalg_qr, &a, 1, &p, out, 2)) return (cn_qr_parts){ NULL, NULL };
    return (cn_qr_parts){ out[0], out[1] };
}

cn_log_det cn_linalg_slogdet(cn_tensor *a)
{
    cn_tensor *out[2];
    if (!a || !cn_apply(&cn_op_slogdet, &a, 1, NULL, out, 2)) return (cn_log_det){ NULL, NULL };
    return (cn_log_det){ out[0], out[1] };
}

cn_tensor *cn_linalg_lstsq(cn_tensor *a, cn_tensor *b)
{
    struct {
        cn_opt_float rcond;
        const char *driver;
    } p = { { false, 0 }, NULL };
    return CN_CALL(lstsq, &p, a, b);
}

cn_tensor *cn_linalg_pinv(cn_tensor *a)
{
    return CN_CALL(pinv, &(bool){ false }, a, NULL, NULL);
}

/* The words that live as long as a recorded call. */
static cn_number_arg order_of(const char *text)
{
    static const char *const words[] = { "fro", "nuc" };
    char *end;
    double number = text ? strtod(text, &end) : 0;
    if (text && end != text && !*end) return (cn_number_arg){ CN_NUM_FLOAT, { .f = number } };
    for (size_t i = 0; text && i < CN_COUNT(words); i++)
        if (strcmp(text, words[i]) == 0) return (cn_number_arg){ CN_NUM_WORD, { .s = words[i] } };
    return (cn_number_arg){ .kind = CN_NUM_NONE };
}

cn_tensor *cn_linalg_matrix_norm(cn_tensor *a, const char *order)
{
    struct {
        cn_number_arg order;
        cn_ints dim;
        bool keepdim;
        int32_t dtype;
    } p = { order_of(order), { 2, { -2, -1 } }, false, CN_NO_DTYPE };
    if (p.order.kind == CN_NUM_NONE)
        return cn_fail(CN_EINVALID, "linalg.matrix_norm: there is no order '%.20s'",
                       order ? order : "(null)"),
               NULL;
    return CN_CALL(matrix_norm, &p, a);
}

cn_tensor *cn_cdist(cn_tensor *x1, cn_tensor *x2, double norm)
{
    struct {
        double p;
        const char *compute_mode;
    } p = { norm, "use_mm_for_euclid_dist_if_necessary" };
    return CN_CALL(cdist, &p, x1, x2);
}

cn_tensor *cn_tril(cn_tensor *input, int64_t diagonal)
{
    return input ? cn_lower(input, diagonal) : NULL;
}

cn_tensor *cn_triu(cn_tensor *input, int64_t diagonal)
{
    return input ? cn_upper(input, diagonal) : NULL;
}
