/* fetch.c - files from the network, by libcurl, which is loaded for the first of them. */
#include "data/fetch.h"

#ifndef CN_WITH_CURL

bool cn_fetch(const char *url, const char *path, const char *name, cn_data_watch *watch,
              void *context)
{
    (void)watch, (void)context, (void)name;
    return cn_fail(CN_EUNSUPPORTED,
                   "this build cannot download (it has no libcurl); save %s as %s yourself", url,
                   path);
}

#else

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#include "core/file.h"
#include "core/library.h"
#include "core/op.h"

enum { MOST_BYTES = 1 << 30, CONNECT_SECONDS = 20, STALL_SECONDS = 30 };

typedef struct transfer {
    cn_file *file;
    const char *name;
    cn_data_watch *watch;
    void *context;
    bool stopped;
} transfer;

static struct {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *init;
    __typeof__(curl_easy_setopt) *setopt;
    __typeof__(curl_easy_perform) *perform;
    __typeof__(curl_easy_getinfo) *getinfo;
    __typeof__(curl_easy_strerror) *strerror;
    __typeof__(curl_easy_cleanup) *cleanup;
} curl;

static bool loaded;

static void load_curl(void)
{
    static const cn_symbol symbols[] = {
        { "curl_global_init", &curl.global_init }, { "curl_easy_init", &curl.init },
        { "curl_easy_setopt", &curl.setopt },      { "curl_easy_perform", &curl.perform },
        { "curl_easy_getinfo", &curl.getinfo },    { "curl_easy_strerror", &curl.strerror },
        { "curl_easy_cleanup", &curl.cleanup },
    };
    loaded = cn_library_load("libcurl.so.4", symbols, (int)CN_COUNT(symbols)) &&
             curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static size_t on_data(char *data, size_t size, size_t n, void *context)
{
    transfer *t = context;
    cn_file_put(t->file, data, size * n);
    return size * n;
}

static int on_progress(void *context, curl_off_t total, curl_off_t done, curl_off_t u1,
                       curl_off_t u2)
{
    transfer *t = context;
    (void)u1, (void)u2;
    if (t->watch && !t->watch(t->name, done, total, t->context)) t->stopped = true;
    return t->stopped;
}

static void set_up(CURL *c, const char *url, transfer *t)
{
    curl.setopt(c, CURLOPT_URL, url);
    curl.setopt(c, CURLOPT_USERAGENT, "cenote");
    curl.setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl.setopt(c, CURLOPT_MAXREDIRS, 5L);
    curl.setopt(c, CURLOPT_FAILONERROR, 1L);
    curl.setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl.setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl.setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl.setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    curl.setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)MOST_BYTES);
    curl.setopt(c, CURLOPT_WRITEFUNCTION, on_data);
    curl.setopt(c, CURLOPT_WRITEDATA, t);
    curl.setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl.setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl.setopt(c, CURLOPT_XFERINFODATA, t);
}

static bool explain(CURL *c, const char *url, CURLcode code, const transfer *t)
{
    long status = 0;
    if (t->stopped) return cn_fail(CN_EINTERRUPTED, "%s: the download was stopped", url);
    curl.getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return cn_fail(CN_EIO, "%s: the server answered %ld", url, status);
    return cn_fail(CN_EIO, "%s: cannot be downloaded: %s", url, curl.strerror(code));
}

bool cn_fetch(const char *url, const char *path, const char *name, cn_data_watch *watch,
              void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_curl);
    if (!loaded)
        return cn_fail(CN_EUNSUPPORTED, "libcurl.so.4 is not installed; save %s as %s yourself",
                       url, path);
    transfer t = { .name = name, .watch = watch, .context = context };
    CURL *c = curl.init();
    if (!c) return cn_fail(CN_ENOMEM, "libcurl cannot start");
    t.file = cn_file_create(path);
    if (t.file) {
        set_up(c, url, &t);
        CURLcode code = curl.perform(c);
        bool ok = code == CURLE_OK || explain(c, url, code, &t);
        cn_file_finish(t.file, ok);
    }
    curl.cleanup(c);
    return cn_ok();
}

#endif
