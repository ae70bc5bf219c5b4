#include "api/serve.h"

#include <signal.h>
#include <sys/resource.h>

#include "api/agent_watch.h"
#include "api/api.h"
#include "api/browser.h"
#include "api/hub.h"
#include "api/socket.h"
#include "api/mcp_watch.h"
#include "api/retention.h"
#include "api/skill_watch.h"
#include "api/tool_watch.h"
#include "base/log.h"

#define QUICK_THREADS 4
#define SLOW_THREADS  8
#define MAX_QUEUED    1000
#define GRACE_MS      3000 /* for replies in work */

struct running {
    struct bx_api api;
    unsigned signals;
};

/* The thousand watchers of a busy day are a thousand descriptors. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536) {
        limit.rlim_cur = BX_MIN(limit.rlim_max, (rlim_t)65536);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* A secret of auth.json, made at the first start. */
static int secret(struct bx_store *store, const char *name, char **ret, struct bx_err *err) {
    char *value = bx_secret_get(store, name);
    if (!value || strlen(value) < 32) {
        bx_free(value);
        value = bx_auth_new_secret();
        int r = bx_secret_set(store, name, value, err);
        if (r < 0) {
            bx_free(value);
            return bx_wrap(err, r, "cannot store the server's secret");
        }
    }
    *ret = value;
    return 0;
}

static int make_auth(struct bx_api *api, struct bx_err *err) {
    bx_auto(bx_freep) char *session_key = NULL, *api_token = NULL;
    int r = secret(api->config->store, "session_key", &session_key, err);
    if (r == 0)
        r = secret(api->config->store, "api_token", &api_token, err);
    if (r < 0)
        return r;
    struct bx_auth_config config = {.port = bx_http_server_port(api->server),
                                    .extra_hosts = api->config->extra_hosts,
                                    .extra_host_count = api->config->extra_host_count,
                                    .session_key = session_key,
                                    .api_token = api_token};
    api->auth = bx_auth_new(&config);
    return 0;
}

static void on_stopped(void *user) {
    struct running *run = user;
    bx_loop_stop(run->api.loop);
}

static void on_signal(void *user, int signum) {
    struct running *run = user;
    (void)signum;
    if (run->signals++ == 0)
        bx_info("api", "stopping; once more to stop at once");
    bx_cancel_fire(run->api.cancel, "the server stops");
    bx_http_server_stop(run->api.server, run->signals == 1 ? GRACE_MS : 0, on_stopped, run);
}

static int listen_on(struct bx_api *api, struct bx_err *err) {
    const char *host = api->config->host ? api->config->host : "127.0.0.1";
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (!is_loopback(host))
        return bx_fail(err, BX_ERR_DENIED,
                       "--host %s would let other machines in, which needs a password that this "
                       "version does not have: "
                       "leave it out, or forward the port over ssh",
                       host);
    struct bx_http_server_config config = {.loop = api->loop,
                                           .host = host,
                                           .port = api->config->port,
                                           .handler = &bx_api_handler,
                                           .user = api};
    bx_http_limits_default(&config.limits);
    return bx_http_server_start(&config, &api->server, err);
}

static int make_parts(struct running *run, struct bx_err *err) {
    struct bx_api *api = &run->api;
    int r = bx_loop_new(&api->loop, err);
    if (r == 0)
        r = bx_workers_new(api->loop, "api", QUICK_THREADS, MAX_QUEUED, &api->quick, err);
    if (r == 0)
        r = bx_workers_new(api->loop, "api-tools", SLOW_THREADS, MAX_QUEUED, &api->slow, err);
    if (r == 0)
        r = listen_on(api, err);
    if (r == 0)
        bx_registry_set_self_port(api->config->registry,
                                  (uint16_t)bx_http_server_port(api->server));
    if (r == 0)
        r = make_auth(api, err);
    if (r == 0)
        r = bx_loop_on_signal(api->loop, SIGINT, on_signal, run, err);
    if (r == 0)
        r = bx_loop_on_signal(api->loop, SIGTERM, on_signal, run, err);
    if (r < 0)
        return r;
    api->hub = bx_hub_new(api->loop);
    bx_hub_on_list(api->hub, bx_sockets_list_changed, api);
    bx_store_on_list_change(api->config->store, bx_hub_list_changed, api->hub);
    api->tool_watch = bx_tool_watch_start(api);
    api->mcp_watch = bx_mcp_watch_start(api);
    api->retention = bx_retention_job_start(api);
    api->agent_watch = bx_agent_watch_start(api);
    api->skill_watch = bx_skill_watch_start(api);
    return 0;
}

static void announce(struct bx_api *api) {
    const char *host = api->config->host && strchr(api->config->host, ':') ? "[::1]" : "127.0.0.1";
    unsigned port = bx_http_server_port(api->server);
    bx_auto(bx_freep) char *plain = bx_asprintf("http://%s:%u/", host, port);
    bx_auto(bx_freep) char *url =
        bx_asprintf("%s?token=%s", plain, bx_auth_one_time_token(api->auth));
    bx_store_set_url(api->config->store, plain); /* without the token: other processes read it */
    if (api->config->ready) {
        api->config->ready(api->config->user, url);
    } else {
        printf("BoxAgnts is ready: %s\n", url);
        fflush(stdout);
    }
    if (api->config->open)
        bx_browser_open(api->config->store, url);
}

static void take_down(struct running *run) {
    struct bx_api *api = &run->api;
    bx_cancel_fire(api->cancel, "the server stops");
    bx_store_on_list_change(api->config->store, NULL, NULL);
    bx_workers_free(api->slow);
    bx_workers_free(api->quick);
    bx_tool_watch_stop(api->tool_watch);
    bx_mcp_watch_stop(api->mcp_watch);
    bx_agent_watch_stop(api->agent_watch);
    bx_skill_watch_stop(api->skill_watch);
    if (api->hub)
        bx_hub_stop(api->hub);
    bx_loop_free(api->loop); /* what the workers have posted still runs */
    bx_hub_free(api->hub);
    bx_tool_watch_free(api->tool_watch);
    bx_mcp_watch_free(api->mcp_watch);
    bx_retention_job_free(api->retention);
    bx_skill_watch_free(api->skill_watch);
    bx_http_server_free(api->server);
    bx_auth_free(api->auth);
    bx_cancel_unref(api->cancel);
    pthread_mutex_destroy(&api->settings_mutex);
}

int bx_api_serve(const struct bx_serve_config *config, struct bx_err *err) {
    struct running run = {.api.config = config};
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&run.api.settings_mutex, NULL);
    run.api.cancel = bx_cancel_new(NULL);
    int r = make_parts(&run, err);
    if (r == 0) {
        announce(&run.api);
        bx_loop_run(run.api.loop);
    }
    take_down(&run);
    return r;
}
