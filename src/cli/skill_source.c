#include "cli/skill_source.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "fetch/fetch.h"
#include "fetch/url.h"
#include "skills/archive.h"

#define HOPS_MAX    5
#define DOWNLOAD_MS 120000

static bool is_address(const char *what) {
    return bx_str_starts(bx_str(what), "http://") || bx_str_starts(bx_str(what), "https://");
}

/* "pdf.zip" → "pdf": the folder's name, when the archive has none. */
static char *stem_of(const char *name) {
    struct bx_str s = bx_str(bx_path_base(name));
    size_t query = bx_str_find(s, '?');
    s = bx_str_slice(s, 0, query == (size_t)-1 ? s.n : query);
    static const char *const ends[] = {".zip", ".skill", ".tar.gz", ".tgz"};
    for (size_t i = 0; i < BX_ARRAY_LEN(ends); i++)
        if (bx_str_ends(s, ends[i]))
            s = bx_str_slice(s, 0, s.n - strlen(ends[i]));
    return s.n && s.p[0] != '.' ? bx_str_dup(s) : bx_strdup("skill");
}

static int unpack(struct bx_str bytes, const char *name, struct bx_skill_source_dir *ret,
                  struct bx_err *err) {
    const char *base = getenv("TMPDIR");
    bx_auto(bx_freep) char *temp =
        bx_asprintf("%s/boxagnts-skill-XXXXXX", base && base[0] == '/' ? base : "/tmp");
    if (!mkdtemp(temp))
        return bx_fail_errno(err, errno, "no folder can be made in %s", base ? base : "/tmp");
    ret->temp = bx_steal(&temp);
    bx_auto(bx_freep) char *stem = stem_of(name);
    ret->folder = bx_path_join(ret->temp, stem);
    int r = bx_archive_unpack(bytes, ret->folder, err);
    return r < 0 ? bx_wrap(err, r, "%.200s", name) : 0;
}

/* ---- addresses ---- */

struct download {
    struct bx_buf body;
    char *location;
};

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    struct download *d = user;
    (void)err;
    const char *location = bx_fetch_head_get(head, "Location");
    bx_free(d->location);
    d->location =
        head->status >= 300 && head->status < 400 && location ? bx_strdup(location) : NULL;
    return 0;
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct download *d = user;
    return bx_buf_adds(&d->body, piece) ? bx_fail(err, BX_ERR_LIMIT, "it is larger than 16 MiB")
                                        : 0;
}

/* Where a redirect leads; the caller's. */
static char *follow(const char *url, const char *location, struct bx_err *err) {
    struct bx_url from;
    if (is_address(location)) {
        if (bx_str_starts(bx_str(url), "https://") &&
            !bx_str_starts(bx_str(location), "https://")) {
            bx_fail(err, BX_ERR_DENIED, "the redirect to %.200s leaves https: it is not followed",
                    location);
            return NULL;
        }
        return bx_strdup(location);
    }
    if (location[0] != '/' || bx_url_parse(url, &from, err)) {
        bx_fail(err, BX_ERR_PROTO, "the redirect to %.200s is not followed", location);
        return NULL;
    }
    bool six = strchr(from.host, ':') != NULL;
    char *next = bx_asprintf("%s://%s%s%s:%u%s", from.scheme, six ? "[" : "", from.host,
                             six ? "]" : "", from.port, location);
    bx_url_deinit(&from);
    return next;
}

static int get(struct bx_fetch *fetch, const char *what, struct download *d, struct bx_err *err) {
    bx_auto(bx_freep) char *url = bx_strdup(what);
    for (unsigned hop = 0; hop <= HOPS_MAX; hop++) {
        struct bx_fetch_result result;
        bx_buf_reset(&d->body);
        int r = bx_fetch_perform(fetch,
                                 &(struct bx_fetch_request){.url = url,
                                                            .total_timeout_ms = DOWNLOAD_MS,
                                                            .max_response_bytes = BX_ARCHIVE_MAX,
                                                            .on_head = on_head,
                                                            .on_body = on_body,
                                                            .user = d},
                                 &result, err);
        if (r < 0)
            return bx_wrap(err, r, "%.200s", url);
        if (!d->location)
            return result.status == 200
                       ? 0
                       : bx_fail(err, BX_ERR_UNAVAILABLE, "%.300s answers with status %d", url,
                                 result.status);
        char *next = follow(url, d->location, err);
        if (!next)
            return err->code;
        bx_free(url);
        url = next;
    }
    return bx_fail(err, BX_ERR_PROTO, "%.300s: more than %d redirects", what, HOPS_MAX);
}

static int from_address(const char *what, struct bx_skill_source_dir *ret, struct bx_err *err) {
    bx_auto(bx_fetch_freep) struct bx_fetch *fetch = NULL;
    struct download d = {.body = BX_BUF_INIT(BX_ARCHIVE_MAX)};
    int r = bx_fetch_new(&(struct bx_fetch_config){.offline = false}, &fetch, err);
    if (r == 0)
        r = get(fetch, what, &d, err);
    if (r == 0)
        r = unpack(bx_buf_str(&d.body), what, ret, err);
    ret->from = bx_strdup(what);
    bx_free(d.location);
    bx_buf_deinit(&d.body);
    return r;
}

int bx_skill_source_open(const char *what, struct bx_skill_source_dir *ret, struct bx_err *err) {
    struct stat st;
    *ret = (struct bx_skill_source_dir){0};
    if (is_address(what))
        return from_address(what, ret, err);
    ret->from = bx_path_absolute(what);
    if (stat(what, &st) < 0)
        return bx_fail_errno(err, errno, "%s", what);
    if (S_ISDIR(st.st_mode)) {
        ret->folder = bx_path_real(what, err);
        return ret->folder ? 0 : err->code;
    }
    bx_auto(bx_buf_deinit) struct bx_buf bytes = BX_BUF_INIT(BX_ARCHIVE_MAX);
    int r = bx_file_read(what, &bytes, err);
    return r < 0 ? r : unpack(bx_buf_str(&bytes), what, ret, err);
}

void bx_skill_source_deinit(struct bx_skill_source_dir *s) {
    if (s->temp)
        bx_dir_remove(s->temp, NULL);
    bx_free(s->temp);
    bx_free(s->folder);
    bx_free(s->from);
    *s = (struct bx_skill_source_dir){0};
}
