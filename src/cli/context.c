#include "cli/context.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "cli/commands.h"
#include "fetch/policy.h"

static char *secret(void *user, const char *name) {
    return bx_secret_get(user, name);
}

/* A private folder for the model server's socket; its path must fit into a socket address (108
 * bytes). */
static int make_runtime_dir(char **ret, struct bx_err *err) {
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (!base || base[0] != '/' || access(base, W_OK) < 0 || strlen(base) > 60) {
        base = "/tmp";
    }
    char *path = bx_asprintf("%s/boxagnts-XXXXXX", base);
    if (!mkdtemp(path)) { /* 0700 */
        int r = bx_fail_errno(err, errno, "cannot make a folder in %s", base);
        bx_free(path);
        return r;
    }
    *ret = path;
    return 0;
}

static int open_models(struct bx_cli_context *c, bool offline, struct bx_err *err) {
    int r = make_runtime_dir(&c->runtime_dir, err);
    if (r < 0) {
        return r;
    }
    bx_auto(bx_freep) char *models_dir = bx_models_dir();
    return bx_models_new(&(struct bx_models_config){.settings = bx_doc_root(c->settings),
                                                    .secret = secret,
                                                    .secret_user = c->store,
                                                    .models_dir = models_dir,
                                                    .runtime_dir = c->runtime_dir,
                                                    .offline = offline},
                         &c->models, err);
}

/* The user's own skills: ours, and where other agents look, too. */
static void user_skills(char *ret[4]) {
    const char *home = getenv("HOME");
    bool has_home = home && home[0] == '/';
    ret[0] = bx_xdg_path("XDG_CONFIG_HOME", ".config", "skills");
    ret[1] = has_home ? bx_path_join(home, ".agents/skills") : NULL;
    ret[2] = has_home ? bx_path_join(home, ".claude/skills") : NULL;
    ret[3] = NULL;
}

static int open_registry(struct bx_cli_context *c, const struct bx_context_options *o,
                         struct bx_err *err) {
    const struct bx_workspace *w = &c->workspace;
    struct bx_mount *mounts = bx_realloc_array(NULL, w->mount_count + 1, sizeof *mounts);
    char *skills[4];
    user_skills(skills);
    mounts[0] =
        (struct bx_mount){.host_path = w->root, .guest_path = "/", .writable = !o->root_read_only};
    for (size_t i = 0; i < w->mount_count; i++) {
        mounts[i + 1] = w->mounts[i];
    }
    int r = bx_registry_new(&(struct bx_registry_config){.box = c->box,
                                                         .outbound = c->outbound,
                                                         .secret = secret,
                                                         .secret_user = c->store,
                                                         .receipts = c->receipts,
                                                         .user_skills = (const char *const *)skills,
                                                         .bundled_skills = bx_bundled_skills,
                                                         .settings = bx_doc_root(c->settings),
                                                         .mounts = mounts,
                                                         .mount_count = w->mount_count + 1,
                                                         .state_dir = w->state},
                            &c->registry, err);
    for (size_t i = 0; i < BX_ARRAY_LEN(skills); i++) {
        bx_free(skills[i]);
    }
    bx_free(mounts);
    return r;
}

static int open_box(struct bx_cli_context *c, const struct bx_context_options *o,
                    struct bx_err *err) {
    bx_auto(bx_freep) char *cache_dir = bx_xdg_path("XDG_CACHE_HOME", ".cache", "tools");
    bx_auto(bx_freep) char *receipts_dir = bx_path_join(bx_store_dir(c->store), "receipts");
    int r = bx_receipts_open(receipts_dir, &c->receipts, err);
    if (r == 0) {
        r = bx_box_new(&(struct bx_box_config){.cache_dir = cache_dir,
                                               .receipts_dir = receipts_dir,
                                               .require_second_wall = o->require_second_wall},
                       &c->box, err);
    }
    if (r == 0) {
        r = bx_outbound_new(&(struct bx_outbound_config){.offline = o->offline}, &c->outbound, err);
    }
    if (r == 0) {
        return open_registry(c, o, err);
    }
    return r;
}

/* The workspace's own tools come before the user's. */
static void open_folders(struct bx_cli_context *c, bool later) {
    bx_auto(bx_freep) char *own = bx_path_join(c->workspace.state, "tools");
    bx_auto(bx_freep) char *users = bx_xdg_path("XDG_DATA_HOME", ".local/share", "tools");
    const char *const dirs[] = {own, users};
    c->folders = bx_tool_folders_new(&(struct bx_tool_folders_config){
        .registry = c->registry, .dirs = dirs, .dir_count = BX_ARRAY_LEN(dirs)});
    if (!later)
        bx_tool_folders_scan(c->folders);
}

static int set_secret(void *user, const char *name, const char *value, struct bx_err *err) {
    return bx_secret_set(user, name, value, err);
}

static int open_mcp(struct bx_cli_context *c, bool offline, struct bx_err *err) {
    return bx_mcp_new(&(struct bx_mcp_config){.registry = c->registry,
                                              .settings = bx_doc_root(c->settings),
                                              .root = c->workspace.root,
                                              .state_dir = c->workspace.state,
                                              .offline = offline,
                                              .secret = secret,
                                              .set_secret = set_secret,
                                              .user = c->store},
                      &c->mcp, err);
}

static int build(const struct bx_args *args, const char *operand,
                 const struct bx_context_options *o, struct bx_cli_context *c, struct bx_err *err) {
    int r = bx_workspace_find(args, operand, true, &c->workspace, err);
    if (r == 0) {
        r = bx_store_open(c->workspace.state, o->store_mode, &c->store, err);
    }
    if (r == 0) {
        bx_cli_tell_open_secrets(c->store);
    }
    if (r == 0) {
        r = bx_settings_load(c->store, &c->settings, err);
    }
    if (r == 0) {
        r = open_box(c, o, err);
    }
    if (r == 0) {
        open_folders(c, o->tools_later);
    }
    if (r == 0) {
        r = open_mcp(c, o->offline, err);
    }
    if (r == 0 && o->models) {
        r = open_models(c, o->offline, err);
    }
    if (r == 0) {
        bx_auto(bx_freep) char *agents = bx_agents_dir();
        r = bx_agent_new(&(struct bx_agent_config){.store = c->store,
                                                   .models = c->models,
                                                   .registry = c->registry,
                                                   .root = c->workspace.root,
                                                   .root_read_only = o->root_read_only,
                                                   .mounts = c->workspace.mounts,
                                                   .mount_count = c->workspace.mount_count,
                                                   .allow_bypass = o->allow_bypass,
                                                   .built_in_agents = bx_builtin_agents,
                                                   .user_agents = agents},
                         &c->agent, err);
    }
    return r;
}

int bx_cli_context_open(const struct bx_args *args, const char *operand,
                        const struct bx_context_options *options, struct bx_cli_context *ret,
                        struct bx_err *err) {
    struct bx_cli_context c = {0};
    int r = build(args, operand, options, &c, err);
    if (r < 0) {
        bx_cli_context_close(&c);
        return r;
    }
    *ret = c;
    return 0;
}

int bx_cli_check_hosts(const char *const *hosts, struct bx_err *err) {
    struct bx_policy_config config = {.allowed_hosts = hosts};
    bx_auto(bx_policy_freep) struct bx_policy *policy = NULL;
    while (hosts[config.allowed_host_count]) {
        config.allowed_host_count++;
    }
    int r = bx_policy_new(&config, &policy, err);
    return r < 0 ? bx_wrap(err, r, "--allow-host") : 0;
}

int bx_cli_store_open(const struct bx_args *args, enum bx_store_mode mode,
                      struct bx_cli_context *ret, struct bx_err *err) {
    struct bx_cli_context c = {0};
    int r = bx_workspace_find(args, NULL, mode == BX_STORE_OWNER, &c.workspace, err);
    if (r == 0) {
        r = bx_store_open(c.workspace.state, mode, &c.store, err);
    }
    if (r < 0) {
        bx_cli_context_close(&c);
        return r;
    }
    *ret = c;
    return 0;
}

void bx_cli_tell_open_secrets(const struct bx_store *store) {
    if (bx_secrets_were_open(store)) {
        fprintf(stderr,
                "boxagnts: %s/auth.json could be read by others of this machine until now; if "
                "there are any, replace the keys in it\n",
                bx_store_dir(store));
    }
}

void bx_cli_context_close(struct bx_cli_context *c) {
    bx_agent_free(c->agent);
    bx_mcp_free(c->mcp);
    bx_tool_folders_free(c->folders);
    bx_registry_free(c->registry);
    bx_box_free(c->box);
    bx_outbound_free(c->outbound);
    bx_receipts_close(c->receipts);
    bx_models_free(c->models);
    bx_doc_free(c->settings);
    bx_store_close(c->store);
    if (c->runtime_dir) {
        (void)bx_dir_remove(c->runtime_dir, NULL);
        bx_free(c->runtime_dir);
    }
    bx_workspace_deinit(&c->workspace);
    *c = (struct bx_cli_context){0};
}
