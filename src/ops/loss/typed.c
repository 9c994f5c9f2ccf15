/* typed.c - functions for C of losses that have none beside their entries. */
#include "ops/loss/loss.h"

cn_tensor *cn_soft_margin_loss_with(const cn_loss_args *a)
{
    const struct {
        const char *reduction;
    } p = { cn_reduction_name(a->reduction) };
    return CN_CALL(soft_margin_loss, &p, a->input, a->target);
}

typedef struct {
    double margin;
    const char *reduction;
} Margin;

cn_tensor *cn_margin_ranking_loss_with(const cn_pair_loss_args *a)
{
    Margin p = { a->margin, cn_reduction_name(a->reduction) };
    return CN_CALL(margin_ranking_loss, &p, a->input1, a->input2, a->target);
}

cn_tensor *cn_cosine_embedding_loss_with(const cn_pair_loss_args *a)
{
    Margin p = { a->margin, cn_reduction_name(a->reduction) };
    return CN_CALL(cosine_embedding_loss, &p, a->input1, a->input2, a->target);
}

cn_tensor *cn_triplet_margin_loss_with(const cn_triplet_loss_args *a)
{
    struct {
        double margin, p, eps;
        bool swap;
        const char *reduction;
    } p = { a->margin > 0 ? a->margin : 1, a->p > 0 ? a->p : 2, 1e-6, a->swap,
            cn_reduction_name(a->reduction) };
    return CN_CALL(triplet_margin_loss, &p, a->anchor, a->positive, a->negative);
}

cn_tensor *cn_ctc_loss_with(const cn_ctc_loss_args *a)
{
    struct {
        int64_t blank;
        const char *reduction;
        bool zero_infinity;
    } p = { a->blank, cn_reduction_name(a->reduction), a->zero_infinity };
    return CN_CALL(ctc_loss, &p, a->log_probs, a->targets, a->input_lengths, a->target_lengths);
}

cn_tensor *cn_gaussian_nll_loss(cn_tensor *input, cn_tensor *target, cn_tensor *var,
                                cn_reduction reduction)
{
    struct {
        bool full;
        double eps;
        const char *reduction;
    } p = { false, 1e-6, cn_reduction_name(reduction) };
    return CN_CALL(gaussian_nll_loss, &p, input, target, var);
}
