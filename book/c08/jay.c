/* jay.c - a language model of Chinese characters: song lyrics, or verses made up here. */
#include "book/language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const when[] = {
    "清晨", "傍晚", "那年夏天", "下雪的冬夜", "雨停以后", "很久以前"
};
static const char *const who[] = { "我",       "你",         "风筝",  "老街的猫",
                                   "远方的船", "窗外的月光", "蒲公英" };
static const char *const does[] = { "轻轻走过", "还记得",   "等着",  "唱起",
                                    "飞向",     "悄悄画下", "忘不了" };
static const char *const what[] = { "屋檐下的雨声", "一首旧歌", "蓝色的海", "没写完的信",
                                    "山那边的火车", "你的名字", "星星和灯", "半杯凉茶" };

#define PICK(list, rng) (list)[cn_rng_below(rng, sizeof(list) / sizeof((list)[0]))]

/* At least so many bytes of verses. */
static char *verses(uint64_t seed, size_t bytes)
{
    cn_rng rng = cn_rng_make(seed, 0);
    char *text = malloc(bytes + 256);
    for (size_t used = 0; text && used < bytes;) {
        const char *w = PICK(when, &rng), *s = PICK(who, &rng), *v = PICK(does, &rng),
                   *o = PICK(what, &rng);
        used += (size_t)snprintf(text + used, 256, "%s %s%s%s ", w, s, v, o);
    }
    return text;
}

static Corpus lyrics(Lab *lab)
{
    const LabOptions *o = lab_options(lab);
    Corpus none = { NULL, NULL }, c;
    if (o->real) {
        char *text = cn_text_find("jaychou_lyrics.txt");
        if (!text) {
            lab_skip(lab, "%s; the lyrics are not free to pass on", cn_error());
            cn_error_clear();
            return none;
        }
        c = language_corpus(text, 10000);
        cn_text_free(text);
        return c;
    }
    char *text = verses(o->seed, 40000);
    c = text ? language_corpus(text, 10000) : none;
    free(text);
    return c;
}

/* The 2020 course's way: a large rate, but gradients cut to 0.01. */
static LanguageFit train(Lab *lab, const Corpus *corpus, bool random)
{
    bool quick = lab_options(lab)->quick;
    int64_t size = cn_vocab_size(corpus->vocab), hidden = quick ? 64 : 256;
    LanguageNet net = language_net(cn_rnn_layer(hidden, .in = size), hidden, size);
    Language m = { language_run_net, &net, cn_sgd(net.net, .lr = 100), corpus };
    LanguageFit fit = language_train(
        lab, &m, &(LanguageSchedule){ .epochs = quick ? 40 : 250, .clip = 0.01, .random = random });
    char *text = language_predict(&m, "分开", 50);
    lab_say(lab, "%s", text ? text : "");
    cn_text_free(text);
    cn_optim_free(m.optim);
    cn_module_free(net.net);
    return fit;
}

static void run(Lab *lab)
{
    Corpus corpus = lyrics(lab);
    if (!corpus.vocab) return;
    const LabOptions *o = lab_options(lab);
    double bound = o->real && !o->quick ? 1.5 : 0.9 * language_bigram_perplexity(&corpus);
    bool book = o->real && !o->quick;
    LanguageFit random = train(lab, &corpus, true), consecutive = train(lab, &corpus, false);
    lab_number(lab, "characters", (double)cn_numel(corpus.ids), 10000, 0);
    lab_at_most(lab, "perplexity, random sampling", random.last, bound);
    lab_at_most(lab, "perplexity, sequential partitioning", consecutive.last, bound);
    if (book) lab_number(lab, "vocabulary", (double)cn_vocab_size(corpus.vocab), 1028, 0);
    cn_figure *f = language_curve(&consecutive, "Chinese characters, sequential");
    lab_figure(lab, f);
    language_corpus_free(&corpus);
}

const Experiment experiment_c08_jay = {
    .id = "C08-JAY",
    .title = "A language model of Chinese lyrics",
    .title_zh = "歌词字符级语言模型",
    .section = "9.6",
    .settings = "hidden 256, steps 35, batch 32, lr 1e2, clip 1e-2, 250 epochs, 10,000 characters",
    .published = "perplexity 1.304 random, 1.164 consecutive",
    .data = "jaychou-lyrics",
    .trains = true,
    .run = run,
};
