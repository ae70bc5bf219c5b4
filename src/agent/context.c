#include "agent/context.h"

#include "base/unwire.h"

static const char *const small_tools[] = {"read", "glob", "grep", "write"};

/* ---- tools ---- */

static bool is_offered(const struct bx_tool *t, bool small) {
    if (t->level == BX_LEVEL_FORBIDDEN)
        return false;
    for (size_t i = 0; small && i < BX_ARRAY_LEN(small_tools); i++)
        if (strcmp(t->name, small_tools[i]) == 0)
            return true;
    return !small;
}

#define SMALL_LINE_BYTES     120 /* of a description: as model/constrained.c tells of a tool */
#define SMALL_EXAMPLE_TOKENS 40

static int64_t tool_tokens(const struct bx_tool *t, bool small) {
    struct bx_str says = bx_str(t->description);
    if (small)
        return bx_tokens_estimate(bx_str_slice(says, 0, SMALL_LINE_BYTES)) + SMALL_EXAMPLE_TOKENS;
    return bx_tokens_estimate(says) + bx_tokens_estimate(bx_str(t->schema_text)) + 12;
}

int64_t bx_context_tool_tokens(const struct bx_context *c, const struct bx_tool *t) {
    return tool_tokens(t, c->small);
}

static void add_spec(struct bx_context *c, struct bx_tool *take_t) {
    c->specs = bx_realloc_array(c->specs, c->tools.n + 1, sizeof *c->specs);
    c->specs[c->tools.n] = (struct bx_tool_spec){.name = take_t->name,
                                                 .description = take_t->description,
                                                 .schema = take_t->schema_text,
                                                 .example = take_t->example};
    bx_vec_push(&c->tools, take_t);
    c->fixed_estimate += tool_tokens(take_t, c->small);
}

/* Are there so many tools from outside that their schemas would crowd the window? */
static bool must_defer(struct bx_registry *registry, struct bx_tool *const *all, size_t count) {
    struct bx_defer defer = bx_registry_defer(registry);
    int64_t tools = 0, tokens = 0;
    for (size_t i = 0; i < count; i++) {
        if (bx_tool_is_extra(all[i]) && all[i]->level != BX_LEVEL_FORBIDDEN) {
            tools++;
            tokens += tool_tokens(all[i], false);
        }
    }
    return !bx_unwired("defer_tools") && ((defer.over_tools >= 0 && tools > defer.over_tools) ||
                                          (defer.over_tokens >= 0 && tokens > defer.over_tokens));
}

/* In a small window the tools alone would leave no room to work: those that nearly every task needs
 * stay, the others are named and loaded when they are wanted. */
#define TOOLS_SHARE 4 /* of the window, the part of it that tools may take */

static bool must_spare(int64_t window, struct bx_tool *const *all, size_t count) {
    int64_t tokens = 0;
    for (size_t i = 0; i < count; i++)
        tokens += tool_tokens(all[i], false);
    return window > 0 && tokens > window / TOOLS_SHARE && !bx_unwired("defer_tools");
}

static void choose_tools(struct bx_context *c, const struct bx_context_config *config) {
    size_t count = 0;
    bool small = config->small;
    bx_auto(bx_freep) struct bx_tool **all = bx_registry_all(config->registry, &count);
    bool defer = !small && must_defer(config->registry, all, count),
         spare = !small && must_spare(config->window, all, count);
    for (size_t i = 0; i < count; i++) {
        bool later = (defer && bx_tool_is_extra(all[i])) || (spare && !bx_tool_is_core(all[i])) ||
                     strcmp(all[i]->name, "recall") == 0;
        if (!is_offered(all[i], small))
            bx_tool_unref(all[i]);
        else if (later)
            bx_vec_push(&c->deferred, all[i]);
        else
            add_spec(c, all[i]);
    }
}

/* Deferred tools that the session has loaded go behind the others, in the order in which they were
 * loaded: what a prefix cache holds of the list stays the same. */
static void add_loaded(struct bx_context *c, const struct bx_history *h) {
    for (size_t i = 0; c->deferred.n && i < h->loaded.n; i++) {
        for (size_t k = 0; k < c->deferred.n; k++) {
            if (strcmp(c->deferred.p[k]->name, h->loaded.p[i]) == 0) {
                add_spec(c, c->deferred.p[k]);
                bx_vec_remove(&c->deferred, k);
                break;
            }
        }
    }
}

const char *bx_part_name(enum bx_part part) {
    static const char *const names[] = {"instructions", "tools", "skills",  "project", "memory",
                                        "packs",        "facts", "summary", "history", "results"};
    return names[part];
}

struct bx_context *bx_context_new(const struct bx_context_config *config) {
    struct bx_context *c = bx_new(struct bx_context);
    c->small = config->small;
    choose_tools(c, config);
    bx_context_write_system(c, config);
    c->fixed_estimate += bx_tokens_estimate(bx_str(c->system)) + 8;
    return c;
}

void bx_context_suit(struct bx_context *c, bool (*offers)(void *user, const struct bx_tool *t),
                     void *user, const char *words) {
    size_t n = 0;
    for (size_t i = 0; i < c->tools.n; i++) {
        struct bx_tool *t = c->tools.p[i];
        if (offers(user, t)) {
            c->specs[n] = c->specs[i];
            c->tools.p[n++] = t;
        } else {
            c->fixed_estimate -= tool_tokens(t, c->small);
            bx_vec_push(&c->hidden, t);
        }
    }
    c->tools.n = n;
    for (size_t i = c->deferred.n; i-- > 0;) {
        if (!offers(user, c->deferred.p[i])) {
            bx_vec_push(&c->hidden, c->deferred.p[i]);
            bx_vec_remove(&c->deferred, i);
        }
    }
    if (words && *words) {
        struct bx_context_item item = {.part = BX_PART_INSTRUCTIONS,
                                       .name = bx_strdup("role"),
                                       .from = strlen(c->system),
                                       .n = strlen(words)};
        bx_vec_push(&c->items, item);
        char *longer = bx_asprintf("%s%s", c->system, words);
        bx_free(c->system);
        c->system = longer;
        c->fixed_estimate += bx_tokens_estimate(bx_str(words));
    }
}

struct bx_tool *bx_context_tool(const struct bx_context *c, const char *name) {
    for (size_t i = 0; i < c->tools.n; i++)
        if (strcmp(c->tools.p[i]->name, name) == 0)
            return bx_tool_ref(c->tools.p[i]);
    for (size_t i = 0; i < c->deferred.n; i++)
        if (strcmp(c->deferred.p[i]->name, name) == 0)
            return bx_tool_ref(c->deferred.p[i]);
    for (size_t i = 0; i < c->hidden.n; i++)
        if (strcmp(c->hidden.p[i]->name, name) == 0)
            return bx_tool_ref(c->hidden.p[i]);
    return NULL;
}

void bx_context_free(struct bx_context *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->tools.n; i++)
        bx_tool_unref(c->tools.p[i]);
    for (size_t i = 0; i < c->deferred.n; i++)
        bx_tool_unref(c->deferred.p[i]);
    for (size_t i = 0; i < c->hidden.n; i++)
        bx_tool_unref(c->hidden.p[i]);
    bx_vec_free(&c->hidden);
    for (size_t i = 0; i < c->items.n; i++)
        bx_free(c->items.p[i].name);
    bx_vec_free(&c->items);
    bx_vec_free(&c->tools);
    bx_vec_free(&c->deferred);
    bx_free(c->specs);
    bx_free(c->system);
    bx_vec_free(&c->messages);
    bx_message_free(c->note);
    bx_free(c);
}

/* ---- the request ---- */

void bx_context_request(struct bx_context *c, const struct bx_history *h, const char *note,
                        struct bx_model_request *ret) {
    add_loaded(c, h);
    c->messages.n = 0;
    for (size_t i = 0; i < h->messages.n; i++)
        bx_vec_push(&c->messages, h->messages.p[i]);
    bx_message_free(c->note);
    c->note = NULL;
    if (note) {
        c->note = bx_message_new(BX_ROLE_USER);
        bx_message_add_text(c->note, note);
        bx_vec_push(&c->messages, c->note);
    }
    *ret = (struct bx_model_request){
        .system = c->system,
        .messages = c->messages.p,
        .message_count = c->messages.n,
        .tools = c->specs,
        .tool_count = c->tools.n,
    };
}

int64_t bx_context_estimate(const struct bx_context *c, const struct bx_history *h) {
    return (int64_t)((double)(c->fixed_estimate + h->estimate) * h->factor);
}
