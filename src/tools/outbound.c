#include "tools/outbound.h"

#include "base/clock.h"
#include "base/vec.h"
#include "fetch/cache.h"
#include "fetch/url.h"

struct bx_outbound {
    struct bx_fetch *fetch;
    struct bx_cache *cache;
};

int bx_outbound_new(const struct bx_outbound_config *config, struct bx_outbound **ret,
                    struct bx_err *err) {
    bx_auto(bx_outbound_freep) struct bx_outbound *o = bx_new(struct bx_outbound);
    o->cache = bx_cache_new(NULL);
    int r = bx_fetch_new(&(struct bx_fetch_config){.offline = config->offline}, &o->fetch, err);
    if (r == 0) {
        *ret = bx_steal(&o);
    }
    return r;
}

void bx_outbound_free(struct bx_outbound *o) {
    if (o) {
        bx_fetch_free(o->fetch);
        bx_cache_free(o->cache);
        bx_free(o);
    }
}

/* Of the connection, or a secret: neither a guest's to send nor for it to see. */
static bool is_ours(struct bx_str name) {
    static const char *const names[] = {"connection",
                                        "content-length",
                                        "expect",
                                        "host",
                                        "keep-alive",
                                        "te",
                                        "proxy-connection",
                                        "trailer",
                                        "upgrade",
                                        "cookie",
                                        "set-cookie",
                                        "transfer-encoding",
                                        "via",
                                        "forwarded",
                                        BX_OUTBOUND_AGE,
                                        BX_OUTBOUND_TIMEOUT,
                                        "x-forwarded-for"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_ieqz(name, names[i])) {
            return true;
        }
    }
    return name.n >= 6 && bx_str_ieqz(bx_str_slice(name, 0, 6), "proxy-");
}

/* One request on its way */
struct hop {
    struct bx_outbound_answer *answer;
    struct bx_fetch_head head; /* for the cache: a copy of what came */
    BX_VEC(struct bx_fetch_header) kept;
    struct bx_buf body;
    bool keep;
};

static int pass_head(struct bx_outbound_answer *answer, const struct bx_fetch_head *head,
                     const char *age) {
    BX_VEC(struct bx_outbound_header) headers = {0};
    for (size_t i = 0; i < head->header_count; i++) {
        struct bx_str name = bx_str(head->headers[i].name);
        if (!is_ours(name)) {
            bx_vec_push(&headers,
                        ((struct bx_outbound_header){name, bx_str(head->headers[i].value)}));
        }
    }
    if (age) {
        bx_vec_push(&headers,
                    ((struct bx_outbound_header){BX_STR_LIT(BX_OUTBOUND_AGE), bx_str(age)}));
    }
    int r = bx_outbound_head(answer, (unsigned)head->status, headers.p, headers.n);
    bx_vec_free(&headers);
    return r;
}

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    struct hop *hop = user;
    if (head->status < 200 || head->status > 599) {
        return bx_fail(err, BX_ERR_PROTO, "the server answered with status %d", head->status);
    }
    hop->keep = hop->keep && bx_cache_may(head, UINT64_MAX) > 0;
    for (size_t i = 0; hop->keep && i < head->header_count; i++) {
        bx_vec_push(&hop->kept, ((struct bx_fetch_header){bx_strdup(head->headers[i].name),
                                                          bx_strdup(head->headers[i].value)}));
    }
    hop->head.status = head->status;
    return pass_head(hop->answer, head, NULL);
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct hop *hop = user;
    if (hop->keep && bx_buf_adds(&hop->body, piece) < 0) {
        hop->keep = false; // too large to keep; it goes on to the guest
    }
    int r = bx_outbound_body(hop->answer, piece);
    return r == BX_ERR_LIMIT
               ? bx_fail(err, r,
                         "the answer is larger than this call may take (max_response_bytes)")
               : r;
}

static void hop_deinit(struct hop *hop) {
    for (size_t i = 0; i < hop->kept.n; i++) {
        bx_free((char *)(uintptr_t)hop->kept.p[i].name);
        bx_free((char *)(uintptr_t)hop->kept.p[i].value);
    }
    bx_vec_free(&hop->kept);
    bx_buf_deinit(&hop->body);
}

static int policy_of(const struct bx_grant *grant, struct bx_policy **ret, struct bx_err *err) {
    return bx_policy_new(
        &(struct bx_policy_config){.allowed_hosts = grant->hosts,
                                   .allowed_host_count = grant->host_count,
                                   .granted_hosts = grant->granted_hosts,
                                   .granted_host_count = grant->granted_host_count,
                                   .block_networks = grant->block_networks,
                                   .block_network_count = grant->block_network_count,
                                   .self_port = grant->self_port},
        ret, err);
}

/* What the answer depends on: the URL and what was asked for. NULL: such a request is not kept. */
static char *cache_key(const struct bx_outbound_request *q) {
    static const char *const known[] = {"accept", "accept-encoding", "accept-language",
                                        "user-agent"};
    if (strcmp(q->method, "GET") != 0 || q->body.n > 0) {
        return NULL;
    }
    struct bx_buf key = BX_BUF_INIT(32 * BX_KIB);
    bx_buf_addz(&key, q->url);
    for (size_t i = 0; i < q->header_count; i++) {
        bool is_known = is_ours(q->headers[i].name);
        for (size_t k = 0; !is_known && k < BX_ARRAY_LEN(known); k++) {
            is_known = bx_str_ieqz(q->headers[i].name, known[k]);
        }
        if (bx_str_ieqz(q->headers[i].name, BX_OUTBOUND_TIMEOUT)) {
            continue;
        }
        bx_buf_addf(&key, "\n" BX_STR_FMT ":" BX_STR_FMT, BX_STR_ARG(q->headers[i].name),
                    BX_STR_ARG(q->headers[i].value));
        if (!is_known) {
            bx_buf_deinit(&key);
            return NULL;
        }
    }
    if (bx_buf_failed(&key)) {
        bx_buf_deinit(&key);
        return NULL;
    }
    return bx_buf_steal(&key);
}

/* A person granted this very address, or localhost. */
static bool lifts_private(const struct bx_policy *policy, const char *text,
                          const struct bx_ip *ip) {
    struct bx_url url;
    struct bx_ip literal;
    if (bx_url_parse(text, &url, NULL) < 0) {
        return false;
    }
    bool lifts = bx_policy_lifts_private(policy, bx_str(url.scheme), bx_str(url.host), url.port) &&
                 (bx_ip_is_loopback(ip) || bx_ip_parse(bx_str(url.host), &literal));
    bx_url_deinit(&url);
    return lifts;
}

/* True: answered. The URL was judged by check_url; here the address that the page came from is. */
static bool answer_from_cache(struct bx_outbound *o, const char *key, const char *url,
                              const struct bx_policy *policy, struct bx_outbound_answer *answer,
                              int *ret) {
    struct bx_cache_entry e;
    struct bx_ip ip;
    if (!key || !bx_cache_get(o->cache, key, bx_mono_ms(), &e)) {
        return false;
    }
    bool good = bx_ip_parse(bx_str(e.address), &ip) &&
                bx_policy_check_ip(policy, &ip, lifts_private(policy, url, &ip), NULL) == 0;
    if (good) {
        char age[24];
        snprintf(age, sizeof age, "%" PRIu64, e.age_ms / 1000);
        *ret = pass_head(answer, &e.head, age);
        *ret = *ret == 0 && e.body.n > 0 ? bx_outbound_body(answer, e.body) : *ret;
    }
    bx_cache_entry_deinit(&e);
    return good;
}

static uint64_t timeout_of(const struct bx_outbound_request *q) {
    uint64_t seconds, left = q->timeout_ms;
    for (size_t i = 0; i < q->header_count; i++) {
        if (bx_str_ieqz(q->headers[i].name, BX_OUTBOUND_TIMEOUT) &&
            bx_str_to_u64(q->headers[i].value, &seconds) && seconds > 0 && seconds < left / 1000) {
            left = seconds * 1000;
        }
    }
    return left;
}

static int exchange(struct bx_outbound *o, const struct bx_policy *policy,
                    const struct bx_outbound_request *q, const char *key,
                    struct bx_outbound_answer *answer, struct bx_err *err) {
    BX_VEC(struct bx_fetch_header) headers = {0};
    for (size_t i = 0; i < q->header_count; i++) {
        if (!is_ours(q->headers[i].name)) {
            bx_vec_push(&headers, ((struct bx_fetch_header){bx_str_dup(q->headers[i].name),
                                                            bx_str_dup(q->headers[i].value)}));
        }
    }
    struct hop hop = {.answer = answer, .body = BX_BUF_INIT(4 * BX_MIB), .keep = key != NULL};
    uint64_t wait_ms = timeout_of(q), max_in = q->grant->limits.value[BX_LIMIT_RESPONSE];
    struct bx_fetch_request req = {
        .method = q->method,
        .url = q->url,
        .headers = headers.p,
        .header_count = headers.n,
        .body = q->body.n ? q->body : (struct bx_str){0},
        .policy = policy,
        .first_byte_timeout_ms = wait_ms,
        .stall_timeout_ms = wait_ms,
        .total_timeout_ms = wait_ms,
        .max_response_bytes = max_in + 1, // the call's own count decides and says so
        .on_head = on_head,
        .on_body = on_body,
        .user = &hop,
        .cancel = q->cancel,
    };
    struct bx_fetch_result result = {0};
    int r = bx_fetch_perform(o->fetch, &req, &result, err);
    if (r == 0 && hop.keep) {
        struct bx_fetch_head head = {hop.head.status, hop.kept.p, hop.kept.n};
        bx_cache_put(o->cache, key, bx_mono_ms(), &head, bx_buf_str(&hop.body), result.address);
    }
    hop_deinit(&hop);
    for (size_t i = 0; i < headers.n; i++) {
        bx_free((char *)(uintptr_t)headers.p[i].name);
        bx_free((char *)(uintptr_t)headers.p[i].value);
    }
    bx_vec_free(&headers);
    return r;
}

int bx_outbound_answer(struct bx_outbound *o, const struct bx_outbound_request *request,
                       struct bx_outbound_answer *answer, struct bx_err *err) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    int r = policy_of(request->grant, &policy, err);
    if (r < 0) {
        return BX_ERR_DENIED;
    }
    if ((r = bx_fetch_check(o->fetch, policy, request->url, err)) < 0) {
        return r;
    }
    bx_auto(bx_freep) char *key = cache_key(request);
    if (answer_from_cache(o, key, request->url, policy, answer, &r)) {
        return r;
    }
    return exchange(o, policy, request, key, answer, err);
}
