/* cast_rules.c - which ops autocast computes in which type: PyTorch's lists, with normalisations,
   softmax and sums in float32 as on its GPUs. Ops that are made of others need a line only where
   their own steps between would mix types. */
#include "core/autocast.h"
#include "ops/internal.h"

#define LOW(ident) [CN_OP_ID_##ident] = CN_CAST_LOW
#define WIDE(ident) [CN_OP_ID_##ident] = CN_CAST_WIDE

const unsigned char cn_cast_rules[CN_NUM_OPS] = {
    /* products */
    LOW(addbmm), LOW(addmm), LOW(addmv), LOW(addr), LOW(baddbmm), LOW(bilinear), LOW(bmm),
    LOW(conv1d), LOW(conv2d), LOW(conv3d), LOW(conv_block), LOW(conv_transpose1d),
    LOW(conv_transpose2d), LOW(conv_transpose3d), LOW(convolution2d), LOW(convolution3d),
    LOW(linear), LOW(linear_act), LOW(matmul), LOW(mm), LOW(multi_dot), LOW(mv), LOW(prelu),
    LOW(scaled_dot_product_attention), LOW(vecdot), LOW(recurrence), LOW(lstm_cell), LOW(gru_cell),
    LOW(rnn_tanh_cell), LOW(rnn_relu_cell),
    /* normalisations and softmax */
    WIDE(batch_norm), WIDE(batch_norm_train), WIDE(native_batch_norm), WIDE(layer_norm),
    WIDE(native_layer_norm), WIDE(group_norm), WIDE(native_group_norm), WIDE(instance_norm),
    WIDE(rms_norm), WIDE(normalize), WIDE(renorm), WIDE(softmax), WIDE(log_softmax), WIDE(softmin),
    /* sums, products, distances */
    WIDE(sum), WIDE(mean), WIDE(prod), WIDE(cumsum), WIDE(cumprod), WIDE(std), WIDE(var),
    WIDE(std_mean), WIDE(var_mean), WIDE(norm), WIDE(vector_norm), WIDE(matrix_norm),
    WIDE(linalg_norm), WIDE(logsumexp), WIDE(logcumsumexp), WIDE(trace), WIDE(dist), WIDE(cdist),
    WIDE(pdist), WIDE(cosine_similarity), WIDE(pairwise_distance), WIDE(quantile),
    WIDE(nanquantile),
    /* functions with a large range */
    WIDE(exp), WIDE(expm1), WIDE(log), WIDE(log10), WIDE(log1p), WIDE(log2), WIDE(pow), WIDE(rpow),
    WIDE(reciprocal), WIDE(rsqrt), WIDE(acos), WIDE(asin), WIDE(cosh), WIDE(sinh), WIDE(tan),
    WIDE(erfinv), WIDE(softplus),
    /* losses */
    WIDE(binary_cross_entropy), WIDE(binary_cross_entropy_with_logits), WIDE(cosine_embedding_loss),
    WIDE(cross_entropy), WIDE(ctc_loss), WIDE(gaussian_nll_loss), WIDE(hinge_embedding_loss),
    WIDE(huber_loss), WIDE(kl_div), WIDE(l1_loss), WIDE(margin_ranking_loss), WIDE(mse_loss),
    WIDE(multi_margin_loss), WIDE(multilabel_margin_loss), WIDE(multilabel_soft_margin_loss),
    WIDE(nll_loss), WIDE(poisson_nll_loss), WIDE(smooth_l1_loss), WIDE(soft_margin_loss),
    WIDE(triplet_margin_loss), WIDE(triplet_margin_with_distance_loss),
    /* what has no 16-bit form */
    WIDE(grid_sample), WIDE(linalg_solve), WIDE(inv), WIDE(pinv), WIDE(cholesky),
    WIDE(linalg_cholesky), WIDE(linalg_det), WIDE(slogdet), WIDE(logdet), WIDE(linalg_qr),
    WIDE(linalg_svd), WIDE(linalg_eigh), WIDE(svd), WIDE(qr),
};
