/* zhseg.c - Chinese text, which has no blanks, cut into words. */
#include "book/book.h"

static void check(Lab *lab, const cn_segmenter *s, const char *text, const char *expected)
{
    cn_tokens *words = cn_segment(s, text);
    char *joined = cn_tokens_join(words, "/");
    lab_text(lab, text, joined, expected);
    cn_text_free(joined);
    cn_tokens_free(words);
}

static void run(Lab *lab)
{
    cn_segmenter *s = cn_segmenter_new(NULL), *known = cn_segmenter_new(NULL, .known_only = true);
    check(lab, s, "我来到北京清华大学", "我/来到/北京/清华大学");
    check(lab, s, "南京市长江大桥", "南京市/长江大桥");
    check(lab, s, "研究生命的起源", "研究/生命/的/起源");
    check(lab, s, "他们在图书馆看书", "他们/在/图书馆/看/书");
    check(lab, s, "我们学习深度学习和自然语言处理。", "我们/学习/深度学习/和/自然语言/处理/。");
    check(lab, s, "他用 C11 写神经网络", "他/用/C11/写/神经网络");
    /* In no dictionary: the hidden Markov model joins what the dictionary leaves in single characters. */
    check(lab, known, "鲲鹏在北京", "鲲/鹏/在/北京");
    check(lab, s, "鲲鹏在北京", "鲲鹏/在/北京");
    cn_segmenter_free(s);
    s = cn_segmenter_new("鲲鹏 3\n在北 1\n在 9\n北京 9\n");
    check(lab, s, "鲲鹏在北京", "鲲鹏/在/北京");
    cn_segmenter_free(s);
    cn_segmenter_free(known);
}

const Experiment experiment_c08_zhseg = {
    .id = "C08-ZHSEG",
    .title = "Chinese word segmentation",
    .title_zh = "中文分词",
    .section = "9.2.2",
    .settings = "most probable path over a dictionary; hidden Markov model for new words",
    .run = run,
};
