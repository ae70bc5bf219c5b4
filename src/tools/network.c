#include "tools/network.h"

#include "base/unwire.h"
#include "fetch/policy.h"
#include "fetch/url.h"
#include "json/write.h"

#define LINE_ENTRIES 6 /* of the present list that are repeated in the line */

static void quote_list(struct bx_buf *out, const char *const *items, size_t count,
                       const char *last) {
    bx_buf_addc(out, '[');
    for (size_t i = 0; i < count && count <= LINE_ENTRIES; i++) {
        bx_json_quote(out, bx_str(items[i]));
        bx_buf_addz(out, ", ");
    }
    bx_json_quote(out, bx_str(last));
    bx_buf_addc(out, ']');
}

char *bx_outbound_line(const char *tool, const struct bx_grant *grant, const char *entry) {
    struct bx_buf out = BX_BUF_INIT(8 * BX_KIB);
    bx_buf_addf(&out, "\"limits\": {\"%s\": {\"allowed_outbound_hosts\": ", tool);
    quote_list(&out, grant->hosts, grant->host_count, entry);
    bx_buf_addz(&out, "}}");
    return bx_buf_steal(&out);
}

char *bx_path_line(const char *tool) {
    return bx_asprintf("\"limits\": {\"%s\": {\"map_dirs\": [\"/HOST/FOLDER:/GUEST:ro\"]}}", tool);
}

bool bx_outbound_allows(const struct bx_grant *grant, const char *const *entries, size_t count) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    struct bx_policy_config config = {.allowed_hosts = grant->hosts,
                                      .allowed_host_count = grant->host_count,
                                      .granted_hosts = grant->granted_hosts,
                                      .granted_host_count = grant->granted_host_count,
                                      .self_port = grant->self_port};
    bool all = bx_policy_new(&config, &policy, NULL) == 0;
    for (size_t i = 0; i < count && all; i++)
        all = bx_policy_check_entry(policy, entries[i], NULL) == 0;
    return all;
}

char *bx_denied_json(const char *limit, const char *member, const char *what, const char *setting,
                     const char *line) {
    struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "limit", limit);
    bx_jw_kstr(&w, member, what);
    bx_jw_kstr(&w, "setting", setting);
    bx_jw_kstr(&w, "line", line);
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

bool bx_outbound_within(const struct bx_grant *grant, const char *const *entries, size_t count) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    if (!grant->within_hosts || bx_unwired("executor_subset"))
        return true;
    struct bx_policy_config config = {.allowed_hosts = grant->within_hosts,
                                      .allowed_host_count = grant->within_host_count,
                                      .self_port = grant->self_port};
    bool all = bx_policy_new(&config, &policy, NULL) == 0;
    for (size_t i = 0; i < count && all; i++)
        all = bx_policy_check_entry(policy, entries[i], NULL) == 0;
    return all;
}

/* ---- one request ---- */

struct exchange {
    struct bx_network_call *call;
    const struct bx_grant *grant; /* with what is granted now */
    const char *entry;
};

static int too_large(const struct exchange *x, enum bx_limit_id id, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(400);
    bx_limit_say(&text, id, x->grant->limits.value[id], x->call->tool);
    return bx_fail(err, BX_ERR_LIMIT, "%s %s: %s",
                   id == BX_LIMIT_REQUEST ? "the request to" : "the answer of", x->entry,
                   bx_buf_z(&text));
}

/* Does the request go out because of the settings, or of a grant that has a use left? */
static bool take_use(const struct exchange *x, const struct bx_host_grants *live) {
    const struct bx_tool_grants *grants = x->call->ctx->grants;
    struct bx_grant settings = *x->grant;
    settings.granted_host_count = 0;
    if (bx_outbound_allows(&settings, &x->entry, 1))
        return true;
    for (size_t i = 0; i < live->granted_count; i++) {
        struct bx_grant one = {.granted_hosts = &live->granted[i],
                               .granted_host_count = 1,
                               .self_port = x->grant->self_port};
        if (bx_outbound_allows(&one, &x->entry, 1) &&
            (!live->ids[i] || grants->used(grants->user, live->ids[i], x->entry)))
            return true;
    }
    return false;
}

/* The host is allowed, or err says what would allow it; blocked addresses are found on the way. */
static int explain(struct exchange *x, bool host_denied, struct bx_err *err) {
    bx_auto(bx_freep) char *line = NULL;
    const char *setting = host_denied ? "allowed_outbound_hosts" : "block_networks";
    char why[200];
    snprintf(why, sizeof why, "%.199s", err->msg);
    if (bx_str_starts(bx_str(why), "offline")) {
        setting = "offline";
        line = bx_strdup("");
    } else if (host_denied && strstr(err->msg, "by a rule")) {
        setting = "rules";
        line = bx_strdup("");
        bx_fail(err, BX_ERR_DENIED,
                "%.200s (network limit): see rules in settings.json, or grant list", why);
    } else if (host_denied) {
        line = bx_outbound_line(x->call->tool, x->grant, x->entry);
        bx_fail(err, BX_ERR_DENIED,
                "%.160s is not among the hosts that %.60s may reach; a grant of it, --allow-host "
                "%.100s or, in settings.json, %s would allow it (network limit)",
                x->entry, x->call->tool, x->entry, line);
    } else {
        line = bx_asprintf("\"limits\": {\"%s\": {\"block_networks\": []}}", x->call->tool);
        bx_fail(
            err, BX_ERR_DENIED,
            "%.120s: %s (network limit); %s in settings.json would allow it, for all hosts that "
            "the tool may reach",
            x->entry, why, line);
    }
    if (!x->call->denied)
        x->call->denied = bx_denied_json("network", "host", x->entry, setting, line);
    return BX_ERR_DENIED;
}

/* 0, or the host is not allowed. */
static int check_host(struct exchange *x, const struct bx_url *url,
                      const struct bx_host_grants *live, struct bx_err *err) {
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    int rc = bx_policy_new(&(struct bx_policy_config){.allowed_hosts = x->grant->hosts,
                                                      .allowed_host_count = x->grant->host_count,
                                                      .granted_hosts = live->granted,
                                                      .granted_host_count = live->granted_count,
                                                      .denied_hosts = live->denied,
                                                      .denied_host_count = live->denied_count,
                                                      .self_port = x->grant->self_port},
                           &policy, err);
    if (rc || bx_unwired("host_policy"))
        return rc;
    if (bx_policy_check_host(policy, bx_str(url->scheme), bx_str(url->host), url->port, err) ||
        !take_use(x, live))
        return explain(x, true, err);
    return 0;
}

int bx_network_answer(struct bx_network_call *c, const struct bx_outbound_request *q,
                      struct bx_outbound_answer *a, struct bx_err *err) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    bx_auto(bx_url_deinit) struct bx_url url = {0};
    struct bx_host_grants live = {0};
    int rc = bx_url_parse(q->url, &url, err);
    if (rc)
        return rc;
    bx_auto(bx_freep) char *entry = bx_policy_entry(bx_str(url.scheme), bx_str(url.host), url.port);
    if (c->ctx->grants)
        c->ctx->grants->hosts(c->ctx->grants->user, &arena, &live);
    struct bx_grant now = *q->grant;
    now.granted_hosts = live.granted;
    now.granted_host_count = live.granted_count;
    struct exchange x = {.call = c, .grant = &now, .entry = entry ? entry : url.host};
    if (!bx_outbound_within(&now, &x.entry, 1))
        return bx_fail(err, BX_ERR_DENIED,
                       "%.160s is not among the hosts that this executor was given (network "
                       "limit): its manager may give it the host, when it may itself",
                       x.entry);
    if ((rc = check_host(&x, &url, &live, err)))
        return rc;
    if (q->body.n > now.limits.value[BX_LIMIT_REQUEST])
        return too_large(&x, BX_LIMIT_REQUEST, err);
    struct bx_outbound_request judged = *q;
    judged.grant = &now;
    rc = bx_outbound_answer(c->outbound, &judged, a, err);
    return rc == BX_ERR_DENIED  ? explain(&x, false, err)
           : rc == BX_ERR_LIMIT ? too_large(&x, BX_LIMIT_RESPONSE, err)
                                : rc;
}
