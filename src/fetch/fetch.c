#include "fetch/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "fetch/ca.h"
#include "fetch/url.h"

/* A handle pair with its own connections; checked out for one exchange. The last one back goes out
 * first, so a client that is used by one thread at a time has one set of connections. */
struct slot {
    CURLM *multi;
    CURL *easy;
    struct slot *next;
};

struct bx_fetch {
    pthread_mutex_t lock;
    struct slot *idle;
    bool offline;
};

struct exchange {
    struct bx_fetch *fetch;
    const struct bx_fetch_request *req;
    struct curl_slist *headers, *pins;
    char curl_says[CURL_ERROR_SIZE];
    int code; /* first failure that is ours; curl then only says that a callback ended it */
    struct bx_err why;
    BX_VEC(struct bx_fetch_header) head; /* names and values are one allocation each, at .name */
    int status;
    bool head_done;
    bool lifts_private, literal; /* the policy's word on this host; it is an address */
    uint64_t bytes_in, last_ms;
};

static void slot_free(struct slot *s) {
    curl_easy_cleanup(s->easy);
    curl_multi_cleanup(s->multi);
    bx_free(s);
}

int bx_fetch_new(const struct bx_fetch_config *config, struct bx_fetch **ret, struct bx_err *err) {
    (void)err;
    struct bx_fetch *f = bx_new(struct bx_fetch);
    pthread_mutex_init(&f->lock, NULL);
    f->offline = config && config->offline;
    *ret = f;
    return 0;
}

void bx_fetch_free(struct bx_fetch *f) {
    if (!f) {
        return;
    }
    while (f->idle) {
        struct slot *s = f->idle;
        f->idle = s->next;
        slot_free(s);
    }
    pthread_mutex_destroy(&f->lock);
    bx_free(f);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void global_init(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        bx_die("curl_global_init failed");
    }
}

static struct slot *slot_take(struct bx_fetch *f) {
    {
        BX_LOCKED(&f->lock);
        struct slot *s = f->idle;
        if (s) {
            f->idle = s->next;
            return s;
        }
    }
    pthread_once(&once, global_init); /* not before it is needed: it costs a millisecond or two */
    struct slot *s = bx_new(struct slot);
    s->multi = curl_multi_init();
    s->easy = curl_easy_init();
    if (!s->multi || !s->easy) {
        bx_die("out of memory");
    }
    curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, 8L);
    return s;
}

static void slot_give(struct bx_fetch *f, struct slot *s) {
    curl_easy_reset(s->easy);
    BX_LOCKED(&f->lock);
    s->next = f->idle;
    f->idle = s;
}

const char *bx_fetch_head_get(const struct bx_fetch_head *head, const char *name) {
    for (size_t i = 0; i < head->header_count; i++) {
        if (bx_str_ieqz(bx_str(head->headers[i].name), name)) {
            return head->headers[i].value;
        }
    }
    return NULL;
}

/* Remembers the first failure of ours. */
static int fail(struct exchange *x, int code, const struct bx_err *why) {
    if (!x->code) {
        x->code = code;
        x->why = *why;
        x->why.code = code;
    }
    return code;
}

static int check_address(struct exchange *x, const struct bx_ip *ip) {
    struct bx_err why = {0};
    int r = 0;
    if (bx_unwired("address_check")) {
        return 0;
    }
    if (x->fetch->offline && !bx_ip_is_loopback(ip)) {
        r = bx_fail(&why, BX_ERR_DENIED, "offline: only this machine may be reached");
    } else if (x->req->policy) {
        bool lifted = x->lifts_private && (x->literal || bx_ip_is_loopback(ip));
        r = bx_policy_check_ip(x->req->policy, ip, lifted, &why);
    }
    return r < 0 ? fail(x, r, &why) : 0;
}

/* The gate: whatever a name resolved to, this is the address that would be connected to now. */
static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    struct exchange *x = user;
    (void)purpose;
    if (address->family != AF_UNIX) {
        struct bx_ip ip;
        struct bx_err why = {0};
        if (!bx_ip_of_sockaddr(&address->addr, &ip)) {
            bx_fail(&why, BX_ERR_DENIED, "an address of an unknown family is refused");
            fail(x, BX_ERR_DENIED, &why);
            return CURL_SOCKET_BAD;
        }
        if (check_address(x, &ip) < 0) {
            return CURL_SOCKET_BAD;
        }
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* The same gate for a connection that was there already: it may have been opened under another
 * policy. */
static int on_request(void *user, char *remote, char *local, int remote_port, int local_port) {
    struct exchange *x = user;
    (void)local, (void)remote_port, (void)local_port;
    struct bx_ip ip;
    if (x->code) {
        return CURL_PREREQFUNC_ABORT; // one of the name's addresses was refused: then so is the
                                      // name
    }
    if (x->req->unix_socket) {
        return CURL_PREREQFUNC_OK;
    }
    if (!bx_ip_parse(bx_str(remote), &ip)) {
        struct bx_err why = {0};
        bx_fail(&why, BX_ERR_DENIED, "the address of the connection is not known");
        fail(x, BX_ERR_DENIED, &why);
        return CURL_PREREQFUNC_ABORT;
    }
    return check_address(x, &ip) < 0 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void head_reset(struct exchange *x) {
    for (size_t i = 0; i < x->head.n; i++) {
        bx_free((char *)(uintptr_t)x->head.p[i].name);
    }
    x->head.n = 0;
}

static int head_end(struct exchange *x) {
    if (x->status < 200) {
        return 0; // 100 Continue and the like: the real head follows
    }
    x->head_done = true;
    if (!x->req->on_head) {
        return 0;
    }
    struct bx_fetch_head head = {
        .status = x->status, .headers = x->head.p, .header_count = x->head.n};
    struct bx_err why = {0};
    int r = x->req->on_head(x->req->user, &head, &why);
    return r ? fail(x, r, &why) : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *user) {
    struct exchange *x = user;
    size *= n;
    x->last_ms = bx_mono_ms();
    struct bx_str line = bx_str_trim(bx_str_n(p, size));
    if (x->head_done) {
        return size; // trailers: nobody needs them
    }
    if (bx_str_starts(line, "HTTP/")) {
        head_reset(x);
        struct bx_str rest = line, version, status = {0};
        int64_t number = 0;
        if (bx_str_split(&rest, ' ', &version)) {
            bx_str_split(&rest, ' ', &status);
        }
        bx_str_to_i64(status, &number);
        x->status = (int)number;
        return size;
    }
    if (line.n == 0) {
        return head_end(x) ? CURL_WRITEFUNC_ERROR : size;
    }
    size_t colon = bx_str_find(line, ':');
    if (colon != (size_t)-1) {
        struct bx_str value = bx_str_trim(bx_str_slice(line, colon + 1, line.n));
        char *both = bx_alloc(colon + value.n + 2);
        memcpy(both, line.p, colon);
        memcpy(both + colon + 1, value.p, value.n);
        bx_vec_push(&x->head, ((struct bx_fetch_header){both, both + colon + 1}));
    }
    return size;
}

static size_t on_piece(char *p, size_t size, size_t n, void *user) {
    struct exchange *x = user;
    size *= n;
    x->last_ms = bx_mono_ms();
    struct bx_err why = {0};
    size_t most = x->req->max_response_bytes ? x->req->max_response_bytes : 64 * BX_MIB;
    if (size > most - x->bytes_in) {
        bx_fail(&why, BX_ERR_LIMIT, "the response is larger than %zu bytes", most);
        fail(x, BX_ERR_LIMIT, &why);
        return CURL_WRITEFUNC_ERROR;
    }
    x->bytes_in += size;
    int r = x->req->on_body && size ? x->req->on_body(x->req->user, bx_str_n(p, size), &why) : 0;
    if (r) {
        fail(x, r, &why);
        return CURL_WRITEFUNC_ERROR;
    }
    return size;
}

static bool is_token(const char *z) {
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (const char *c = z; *c; c++) {
        bool ok = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                  (*c >= '0' && *c <= '9') || strchr(others, *c);
        if (!ok) {
            return false;
        }
    }
    return *z != 0;
}

static void add_header(struct exchange *x, const char *line) {
    struct curl_slist *more = curl_slist_append(x->headers, line);
    if (!more) {
        bx_die("out of memory");
    }
    x->headers = more;
}

static int set_headers(struct exchange *x, CURL *easy, struct bx_err *err) {
    bool has_type = false;
    for (size_t i = 0; i < x->req->header_count; i++) {
        const struct bx_fetch_header *h = &x->req->headers[i];
        if (!is_token(h->name)) {
            return bx_fail(err, BX_ERR_INVALID, "a header has a name that is not possible");
        }
        for (const char *c = h->value; *c; c++) {
            if ((unsigned char)*c < 0x20 && *c != '\t') {
                return bx_fail(err, BX_ERR_INVALID, "the header %s holds a control character",
                               h->name);
            }
        }
        has_type = has_type || bx_str_ieqz(bx_str(h->name), "content-type");
        // curl's own way to say "with an empty value" is a semicolon
        bx_auto(bx_freep) char *line =
            *h->value ? bx_asprintf("%s: %s", h->name, h->value) : bx_asprintf("%s;", h->name);
        add_header(x, line);
    }
    add_header(x, "Expect:");
    if (!has_type) {
        add_header(x, "Content-Type:");
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->headers);
    return 0;
}

static void set_method(const struct bx_fetch_request *req, CURL *easy) {
    const char *method = req->method ? req->method : req->body.p ? "POST" : "GET";
    bool is_head = strcmp(method, "HEAD") == 0;
    if (req->body.p || strcmp(method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->body.p ? req->body.p : "");
    } else if (is_head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_head ? NULL : method);
}

static int set_tls(CURL *easy, struct bx_err *err) {
    struct bx_str pem;
    int r = bx_ca_get(&pem, err);
    if (r < 0) {
        return r;
    }
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)pem.p, .len = pem.n, .flags = CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    return 0;
}

static int set_options(struct exchange *x, CURL *easy, const struct bx_url *url,
                       struct bx_err *err) {
    const struct bx_fetch_request *req = x->req;
    uint64_t connect_ms = req->connect_timeout_ms ? req->connect_timeout_ms : 10000;
    if (req->method && !is_token(req->method)) {
        return bx_fail(err, BX_ERR_INVALID, "this is not an HTTP method");
    }
    curl_easy_setopt(easy, CURLOPT_CURLU, url->handle);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a cancel does not wait for the look-up thread
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "boxagnts/" BX_VERSION);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)BX_MIN(connect_ms, 3600000));
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->curl_says);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, x);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_piece);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    if (req->unix_socket) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, req->unix_socket);
    } else if (strcmp(url->scheme, "https") == 0) {
        int r = set_tls(easy, err);
        if (r < 0) {
            return r;
        }
    }
    if (req->pin) {
        x->pins = curl_slist_append(NULL, req->pin);
        curl_easy_setopt(easy, CURLOPT_RESOLVE, x->pins);
    }
    set_method(req, easy);
    return set_headers(x, easy, err);
}

/* Time left before the next of our own limits, or 0 with err filled when one has fired. */
static uint64_t time_left(const struct exchange *x, uint64_t start_ms, struct bx_err *err) {
    const struct bx_fetch_request *req = x->req;
    uint64_t now = bx_mono_ms(), left = UINT64_MAX;
    uint64_t quiet_ms = x->head_done ? req->stall_timeout_ms : req->first_byte_timeout_ms;
    uint64_t quiet_end = x->last_ms + (quiet_ms ? quiet_ms : 60000);
    if (now >= quiet_end) {
        bx_fail(err, BX_ERR_TIMEOUT,
                x->head_done ? "the answer stalled for %" PRIu64 " s"
                             : "no answer within %" PRIu64 " s",
                (now - x->last_ms) / 1000);
        return 0;
    }
    left = quiet_end - now;
    if (req->total_timeout_ms) {
        uint64_t end = start_ms + req->total_timeout_ms;
        if (now >= end) {
            bx_fail(err, BX_ERR_TIMEOUT, "the request took longer than %" PRIu64 " ms",
                    req->total_timeout_ms);
            return 0;
        }
        left = BX_MIN(left, end - now);
    }
    return left;
}

/* Drives the exchange to its end: 0 with curl's verdict, or our own failure. */
static int drive(struct exchange *x, struct slot *s, CURLcode *ret_code, struct bx_err *err) {
    uint64_t start_ms = bx_mono_ms();
    x->last_ms = start_ms;
    for (;;) {
        int running, queued;
        CURLMcode mc = curl_multi_perform(s->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(s->multi, &queued));) {
            if (m->msg == CURLMSG_DONE) {
                *ret_code = m->data.result;
                return 0;
            }
        }
        if (bx_cancel_fired(x->req->cancel)) {
            return bx_fail(err, BX_ERR_CANCELLED, "stopped");
        }
        uint64_t left = time_left(x, start_ms, err);
        if (left == 0) {
            return BX_ERR_TIMEOUT;
        }
        struct curl_waitfd stop = {.fd = bx_cancel_fd(x->req->cancel), .events = CURL_WAIT_POLLIN};
        if (mc == CURLM_OK) {
            mc = curl_multi_poll(s->multi, &stop, stop.fd >= 0, (int)BX_MIN(left, 60000), NULL);
        }
        if (mc != CURLM_OK) {
            return bx_fail(err, BX_ERR_INTERNAL, "%s", curl_multi_strerror(mc));
        }
    }
}

static int verdict(const struct exchange *x, CURLcode code, const struct bx_url *url,
                   struct bx_err *err) {
    const char *says = x->curl_says[0] ? x->curl_says : curl_easy_strerror(code);
    const char *where = x->req->unix_socket ? "the local socket" : url->host;
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return bx_fail(err, BX_ERR_TIMEOUT, "%s could not be connected to in time", where);
    case CURLE_COULDNT_RESOLVE_HOST:
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the name %s is not known to the name server",
                       where);
    case CURLE_COULDNT_CONNECT:
        if (x->req->unix_socket) {
            return bx_fail(err, BX_ERR_UNAVAILABLE, "nothing listens at %s", x->req->unix_socket);
        }
        return bx_fail(err, BX_ERR_UNAVAILABLE, "nothing listens at %s port %u", where, url->port);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return bx_fail(err, BX_ERR_PROTO, "the certificate of %s is not good: %s", where, says);
    case CURLE_SSL_CONNECT_ERROR:
        return bx_fail(err, BX_ERR_UNAVAILABLE, "no secure connection to %s: %s", where, says);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return bx_fail(err, BX_ERR_RETRY, "the connection to %s was cut: %s", where, says);
    default:
        return bx_fail(err, BX_ERR_PROTO, "%s: %s", where, says);
    }
}

static int check_url(struct bx_fetch *f, const struct bx_fetch_request *req,
                     const struct bx_url *url, struct bx_err *err) {
    if (req->unix_socket) {
        return req->policy ? bx_fail(err, BX_ERR_DENIED, "a Unix socket is not for sandboxed calls")
                           : 0;
    }
    if (f->offline && !bx_url_is_loopback(url)) {
        return bx_fail(err, BX_ERR_DENIED, "offline: %s may not be reached, only this machine",
                       url->host);
    }
    return req->policy && !bx_unwired("host_policy")
               ? bx_policy_check_host(req->policy, bx_str(url->scheme), bx_str(url->host),
                                      url->port, err)
               : 0;
}

int bx_fetch_check(struct bx_fetch *f, const struct bx_policy *policy, const char *text,
                   struct bx_err *err) {
    struct bx_url url;
    int r = bx_url_parse(text, &url, err);
    if (r == 0) {
        r = check_url(f, &(struct bx_fetch_request){.policy = policy}, &url, err);
        bx_url_deinit(&url);
    }
    return r;
}

static int run(struct exchange *x, const struct bx_url *url, struct bx_fetch_result *ret,
               struct bx_err *err) {
    struct slot *s = slot_take(x->fetch);
    CURLcode code = CURLE_OK;
    int r = set_options(x, s->easy, url, err);
    if (r == 0) {
        curl_multi_add_handle(s->multi, s->easy);
        r = drive(x, s, &code, err);
        if (r == 0 && x->code) {
            r = x->code;
            if (err) {
                *err = x->why;
            }
        } else if (r == 0) {
            r = verdict(x, code, url, err);
        }
        long fresh = 0;
        char *address = NULL;
        curl_off_t sent = 0;
        curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &fresh);
        curl_easy_getinfo(s->easy, CURLINFO_PRIMARY_IP, &address);
        curl_easy_getinfo(s->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
        *ret = (struct bx_fetch_result){.status = x->status,
                                        .bytes_in = x->bytes_in,
                                        .bytes_out = (uint64_t)sent,
                                        .reused = fresh == 0};
        if (address && !x->req->unix_socket) {
            snprintf(ret->address, sizeof ret->address, "%s", address);
        }
        curl_multi_remove_handle(s->multi, s->easy);
    }
    if (x->req->pin) {
        slot_free(s); // its name cache holds the pin
    } else {
        slot_give(x->fetch, s);
    }
    return r;
}

int bx_fetch_perform(struct bx_fetch *f, const struct bx_fetch_request *request,
                     struct bx_fetch_result *ret, struct bx_err *err) {
    struct bx_url url;
    int r = bx_url_parse(request->url, &url, err);
    if (r < 0) {
        return r;
    }
    struct exchange x = {.fetch = f, .req = request};
    struct bx_ip ip;
    if (request->policy) {
        x.literal = bx_ip_parse(bx_str(url.host), &ip);
        x.lifts_private = bx_policy_lifts_private(request->policy, bx_str(url.scheme),
                                                  bx_str(url.host), url.port);
    }
    struct bx_fetch_result result = {0};
    r = check_url(f, request, &url, err);
    if (r == 0 && bx_cancel_fired(request->cancel)) {
        r = bx_fail(err, BX_ERR_CANCELLED, "stopped");
    }
    if (r == 0) {
        r = run(&x, &url, &result, err);
    }
    head_reset(&x);
    bx_vec_free(&x.head);
    curl_slist_free_all(x.headers);
    curl_slist_free_all(x.pins);
    bx_url_deinit(&url);
    if (ret) {
        *ret = result; // also after a failure: the ledger counts what was moved
    }
    return r;
}
