/* nearest.c - did you mean ...? */
#include "app/app.h"

#include <string.h>

enum { LONGEST = 48 };

static int least_of(int a, int b, int c)
{
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, where two neighbours that changed places count as one mistake. */
static int distance(const char *a, const char *b)
{
    int d[LONGEST + 1][LONGEST + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            d[i][j] = least_of(d[i - 1][j] + 1, d[i][j - 1] + 1,
                               d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least_of(d[i][j], d[i - 2][j - 2] + 1, d[i][j]);
        }
    return d[n][m];
}

const char *nearest(const char *word, const char *const *known)
{
    size_t length = strlen(word);
    const char *best = NULL;
    if (length == 0 || length > LONGEST) return NULL;
    int allowed = ((int)length + 3) / 4;
    for (; *known; known++) {
        if (strlen(*known) > LONGEST) continue;
        bool begins = length > 1 && strncmp(*known, word, length) == 0;
        int d = begins ? 1 : distance(word, *known);
        if (d > allowed) continue;
        allowed = d - 1;
        best = *known;
    }
    return best;
}
