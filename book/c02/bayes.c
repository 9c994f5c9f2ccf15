/* bayes.c - the HIV test of the book, by a table of all cases (D2L 2.6.5). */
#include "book/book.h"

enum { PEOPLE = 1000000 };

static void run(Lab *lab)
{
    /* Rows: healthy, infected; columns: the test says no, yes. */
    cn_tensor *prior = cn_from((const double[]){ 0.9985, 0.0015 }, CN_SHAPE(2, 1), CN_F64);
    const double first[2][2] = { { 0.99, 0.01 }, { 0, 1 } },
                 second[2][2] = { { 0.97, 0.03 }, { 0.02, 0.98 } };
    cn_tensor *joint = cn_mul(prior, cn_from(first, CN_SHAPE(2, 2), CN_F64));
    lab_number(lab, "all joint probabilities add up to", cn_item(cn_sum(joint)), 1, 1e-15);
    cn_tensor *marginal = cn_sum(joint, .dim = CN_SHAPE(0));
    lab_number(lab, "P(D1 = 1)", cn_at(marginal, CN_SHAPE(1)), 0.011485, 1e-12);
    cn_tensor *posterior = cn_div(cn_select(joint, 1, 1), cn_select(marginal, 0, 1));
    lab_number(lab, "P(H = 1 | D1 = 1)", cn_at(posterior, CN_SHAPE(1)), 0.1306, 5e-5);

    /* Both tests; given the state they are independent, so that probabilities multiply. */
    cn_tensor *tests[] = { prior, cn_from(first, CN_SHAPE(2, 2), CN_F64),
                           cn_from(second, CN_SHAPE(2, 2), CN_F64) };
    cn_tensor *all = cn_einsum("hi,ha,hb->hab", tests, 3);
    cn_tensor *both = cn_select(cn_select(all, 2, 1), 1, 1);
    double evidence = cn_item(cn_sum(both));
    lab_number(lab, "P(D1 = 1, D2 = 1)", evidence, 0.00176955, 1e-12);
    lab_number(lab, "P(H = 1 | D1 = 1, D2 = 1)", cn_at(both, CN_SHAPE(1)) / evidence, 0.8307, 5e-5);

    /* Without knowing the state the tests depend on each other. */
    cn_tensor *pair = cn_sum(all, .dim = CN_SHAPE(0));
    double d1 = cn_item(cn_sum(cn_select(pair, 0, 1))), d2 = cn_item(cn_sum(cn_select(pair, 1, 1)));
    lab_at_least(lab, "P(D1, D2) / (P(D1) P(D2))", evidence / (d1 * d2), 2);

    /* The same by asking a million people. */
    cn_tensor *ill = cn_bernoulli(cn_full(CN_SHAPE(PEOPLE), 0.0015, CN_F32));
    cn_tensor *yes = cn_bernoulli(cn_add(cn_mul(ill, cn_num(0.99)), cn_num(0.01)));
    lab_number(lab, "P(H = 1 | D1 = 1), counted",
               cn_item(cn_sum(cn_mul(ill, yes))) / cn_item(cn_sum(yes)), 0.1306, 0.01);
}

const Experiment experiment_c02_bayes = {
    .id = "C02-BAYES",
    .title = "Joint, conditional and marginal probability",
    .title_zh = "联合、条件与边际概率",
    .section = "2.6.5",
    .published = "P(D1=1) = 0.011485, P(H=1|D1=1) = 0.1306, P(H=1|D1=1,D2=1) = 0.8307",
    .run = run,
};
