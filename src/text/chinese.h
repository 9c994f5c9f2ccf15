/* chinese.h - the dictionary of everyday words that is built in. */
#ifndef CN_TEXT_CHINESE_H
#define CN_TEXT_CHINESE_H

extern const char cn_chinese_words[]; /* lines "word frequency" */

#endif
