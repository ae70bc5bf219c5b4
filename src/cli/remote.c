#include "cli/remote.h"

#include "base/path.h"
#include "fetch/fetch.h"

#define REPLY_MAX (64 * BX_MIB)

static int take_piece(void *user, struct bx_str piece, struct bx_err *err) {
    return bx_buf_adds(user, piece) < 0
               ? bx_fail(err, BX_ERR_LIMIT, "the server's answer is too large")
               : 0;
}

/* The code that stands for a status: the first of ours that has it. */
static int code_of(int status) {
    static const int codes[] = {BX_ERR_INVALID, BX_ERR_NOTFOUND, BX_ERR_BUSY,
                                BX_ERR_DENIED,  BX_ERR_AUTH,     BX_ERR_LIMIT};
    for (size_t i = 0; i < BX_ARRAY_LEN(codes); i++) {
        if (bx_err_http_status(codes[i]) == status)
            return codes[i];
    }
    return BX_ERR_INTERNAL;
}

static int perform(const char *url, const char *token, const char *method, struct bx_str body,
                   struct bx_buf *reply, int *ret_status, struct bx_err *err) {
    bx_auto(bx_fetch_freep) struct bx_fetch *fetch = NULL;
    bx_auto(bx_freep) char *bearer = bx_asprintf("Bearer %s", token);
    const struct bx_fetch_header headers[] = {{"Authorization", bearer},
                                              {"Content-Type", "application/json"}};
    struct bx_fetch_request request = {.method = method,
                                       .url = url,
                                       .headers = headers,
                                       .header_count = BX_ARRAY_LEN(headers),
                                       .body = body,
                                       .max_response_bytes = REPLY_MAX,
                                       .on_body = take_piece,
                                       .user = reply};
    struct bx_fetch_result result;
    int rc = bx_fetch_new(&(struct bx_fetch_config){.offline = true}, &fetch, err);
    if (rc == 0)
        rc = bx_fetch_perform(fetch, &request, &result, err);
    if (rc == 0)
        *ret_status = result.status;
    return rc < 0 ? bx_wrap(err, rc, "the server that holds this workspace does not answer") : 0;
}

static int read_secret(const char *state_dir, const char *file, const char *member, char **ret) {
    bx_auto(bx_freep) char *path = bx_path_join(state_dir, file);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_read_file(path, NULL, &doc, NULL) < 0)
        return BX_ERR_NOTFOUND;
    const char *z = bx_val_get_z(bx_doc_root(doc), member);
    *ret = z && *z ? bx_strdup(z) : NULL;
    return *ret ? 0 : BX_ERR_NOTFOUND;
}

int bx_remote_call(const char *state_dir, const char *method, const char *path, struct bx_str body,
                   struct bx_doc **ret, struct bx_err *err) {
    bx_auto(bx_freep) char *server = NULL;
    bx_auto(bx_freep) char *token = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf reply = BX_BUF_INIT(REPLY_MAX);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int status = 0;
    if (read_secret(state_dir, "lock", "url", &server) < 0 ||
        read_secret(state_dir, "auth.json", "api_token", &token) < 0)
        return bx_fail(err, BX_ERR_UNAVAILABLE,
                       "the workspace is in use, and not by a server that could be asked");
    bx_auto(bx_freep) char *url = bx_asprintf("%sapi/v1%s", server, path);
    int rc = perform(url, token, method, body, &reply, &status, err);
    if (rc < 0)
        return rc;
    if (reply.size)
        bx_doc_parse(bx_buf_str(&reply), NULL, &doc, NULL);
    if (status >= 400) {
        const char *detail = bx_val_get_z(doc ? bx_doc_root(doc) : NULL, "detail");
        return bx_fail(err, code_of(status), "%s", detail ? detail : "the server refused");
    }
    *ret = bx_steal(&doc);
    return 0;
}
