// Assignments: x=1, a[2]+=3, a=(…), and those in front of a command.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

bool sh_assign_one(struct sh *sh, const struct sh_assign *assign, unsigned add_flags) {
    char *value = NULL, *key = NULL;
    long long index = 0;
    if (!assign->is_array && !(value = sh_expand_text(sh, assign->value))) {
        return false;
    }
    const struct sh_var *before = sh_var_get(sh, assign->name);
    bool is_assoc = (before && before->flags & SH_ASSOC) || add_flags & SH_ASSOC;
    if (assign->index) {
        if (is_assoc ? !(key = sh_expand_text(sh, assign->index))
                     : !sh_expand_index(sh, assign->index, &index)) {
            return false;
        }
    }
    if (!assign->is_array && add_flags & SH_MAKE_LOCAL) {
        sh_local(sh, assign->name); // only now: local x=$x
    }
    if (!assign->is_array) {
        if (!assign->index && !add_flags && !assign->is_append) {
            return sh_set(sh, assign->name, value);
        }
        struct sh_var *var = sh_var_make(sh, assign->name);
        var->flags |= add_flags &
                      (SH_INTEGER | SH_TO_LOWER | SH_TO_UPPER | SH_EXPORT | SH_ASSOC | SH_INDEXED);
        return key             ? sh_set_key(sh, var, key, value, assign->is_append)
               : assign->index ? sh_set_index(sh, var, index, value, assign->is_append)
                               : sh_set_var(sh, var, value, assign->is_append);
    }
    // An array: all is expanded before the old content goes
    struct sh_fields keys = {0}, values = {0};
    for (const struct sh_element *e = assign->elements; e; e = e->next) {
        if (e->index) {
            char *text = sh_expand_text(sh, e->index), *one = sh_expand_text(sh, e->value);
            if (!text || !one) {
                return false;
            }
            sh_fields_add(sh, &keys, text);
            sh_fields_add(sh, &values, one);
        } else {
            size_t n = values.n;
            if (!sh_expand_word(sh, e->value, &values)) {
                return false;
            }
            for (; n < values.n; n++) {
                sh_fields_add(sh, &keys, NULL);
            }
        }
    }
    if (add_flags & SH_MAKE_LOCAL) {
        sh_local(sh, assign->name);
    }
    struct sh_var *var = sh_var_make(sh, assign->name);
    if (var->flags & SH_READONLY) {
        sh_say(sh, "%s: readonly variable", assign->name);
        return false;
    }
    var->flags |= add_flags & (SH_INTEGER | SH_TO_LOWER | SH_TO_UPPER | SH_EXPORT);
    if (!assign->is_append || !(var->flags & (SH_INDEXED | SH_ASSOC))) {
        char *old =
            assign->is_append && var->value ? bx_strndup(var->value, strlen(var->value)) : NULL;
        sh_clear_array(var, is_assoc ? SH_ASSOC : SH_INDEXED);
        if (old) {
            sh_set_index(sh, var, 0, old, false);
            free(old);
        }
    }
    index = var->n && !is_assoc ? var->items[var->n - 1].index + 1 : 0;
    for (size_t i = 0; i < values.n; i++) {
        if (is_assoc) {
            if (!keys.v[i]) { // (key value key value)
                const char *one = values.v[i];
                sh_set_key(sh, var, one, i + 1 < values.n ? values.v[++i] : "", false);
            } else {
                sh_set_key(sh, var, keys.v[i], values.v[i], false);
            }
            continue;
        }
        if (keys.v[i] && !sh_arith(sh, keys.v[i], &index)) {
            return false;
        }
        sh_set_index(sh, var, index++, values.v[i], false);
    }
    return true;
}

bool sh_assign_all(struct sh *sh, const struct sh_assign *assigns) {
    for (; assigns; assigns = assigns->next) {
        if (!sh_assign_one(sh, assigns, 0)) {
            return false;
        }
        if (sh->options & SH_XTRACE && !assigns->is_array) {
            const char *value = sh_get(sh, assigns->name);
            struct bx_buf text = {0};
            sh_quote_trace(&text, value ? value : "");
            sh_complain(sh, "+ %s=%s", assigns->name, text.data ? text.data : "");
            bx_buf_deinit(&text);
        }
    }
    return true;
}

// Variables in front of a command are there for its time
bool sh_push_assigns(struct sh *sh, const struct sh_assign *assigns, struct sh_scope *scope) {
    scope->is_function = sh->scope && sh->scope->is_function;
    sh_scope_push(sh, scope);
    for (; assigns; assigns = assigns->next) {
        char *value = assigns->is_array ? "" : sh_expand_text(sh, assigns->value);
        if (!value) {
            return false;
        }
        const char *old = assigns->is_append ? sh_get(sh, assigns->name) : NULL;
        char *kept = old ? sh_arena_copy(&sh->scratch, old, strlen(old)) : NULL;
        sh_local(sh, assigns->name);
        struct sh_var *var = sh_var_make_raw(sh, assigns->name);
        var->flags |= SH_EXPORT;
        if ((kept && !sh_set_var(sh, var, kept, false)) ||
            !sh_set_var(sh, var, value, kept != NULL)) {
            return false;
        }
    }
    return true;
}
