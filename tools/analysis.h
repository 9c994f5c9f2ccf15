/* analysis.h - what the analyser cannot see from one file: cn_fail() always returns false. */
#include <cenote/base.h>

#define cn_fail(...) (cn_fail(__VA_ARGS__), false)
