/* version, licences, completion */
#include "cli/commands.h"

int bx_cmd_version(const struct bx_args *args) {
    (void)args;
    struct bx_buf out = BX_BUF_INIT(200);
    bx_buf_addz(&out, "boxagnts " BX_VERSION "\n");
    return bx_cli_print(&out);
}

int bx_cmd_licences(const struct bx_args *args) {
    (void)args;
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    bx_buf_add(&out, bx_licence.p, bx_licence.n);
    bx_buf_addz(&out, "\n");
    bx_buf_add(&out, bx_notices.p, bx_notices.n);
    return bx_cli_print(&out);
}

/* First words of the commands, once each: "tool run" and "tool list" give "tool". */
static void add_first_words(struct bx_buf *out) {
    struct bx_str last = {NULL, 0};
    for (size_t i = 0; i < bx_command_count; i++) {
        struct bx_str name = bx_str(bx_commands[i].name);
        size_t space = bx_str_find(name, ' ');
        struct bx_str word = bx_str_slice(name, 0, space == (size_t)-1 ? name.n : space);
        if (!bx_str_eq(word, last)) {
            bx_buf_addf(out, "%s" BX_STR_FMT, last.p ? " " : "", BX_STR_ARG(word));
        }
        last = word;
    }
}

static void add_second_words(struct bx_buf *out, struct bx_str first) {
    for (size_t i = 0; i < bx_command_count; i++) {
        struct bx_str name = bx_str(bx_commands[i].name);
        size_t space = bx_str_find(name, ' ');
        if (space != (size_t)-1 && bx_str_eq(bx_str_slice(name, 0, space), first)) {
            bx_buf_addf(out, " %s", bx_commands[i].name + space + 1);
        }
    }
}

static void bash(struct bx_buf *out) {
    bx_buf_addz(out, "_boxagnts() {\n    local cur=${COMP_WORDS[COMP_CWORD]} words=\n    case "
                     "\"${COMP_WORDS[1]} $COMP_CWORD\" in\n");
    for (size_t i = 0; i < bx_command_count; i++) {
        const char *space = strchr(bx_commands[i].name, ' ');
        if (space && (i == 0 || strncmp(bx_commands[i].name, bx_commands[i - 1].name,
                                        (size_t)(space - bx_commands[i].name) + 1) != 0)) {
            struct bx_str first =
                bx_str_n(bx_commands[i].name, (size_t)(space - bx_commands[i].name));
            bx_buf_addf(out, "    \"" BX_STR_FMT " 2\") words=\"", BX_STR_ARG(first));
            add_second_words(out, first);
            bx_buf_addz(out, "\" ;;\n");
        }
    }
    bx_buf_addz(out, "    *\" 1\") words=\"");
    add_first_words(out);
    bx_buf_addz(out, "\" ;;\n    esac\n    if [[ $cur == -* ]]; then words=\"");
    for (size_t i = 0; i < bx_option_count; i++) {
        bx_buf_addf(out, "%s--%s", i ? " " : "", bx_options[i].name);
    }
    bx_buf_addz(out, "\"; fi\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n    [[ "
                     "${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n"
                     "complete -o filenames -F _boxagnts boxagnts\n");
}

static void fish(struct bx_buf *out) {
    for (size_t i = 0; i < bx_command_count; i++) {
        const char *space = strchr(bx_commands[i].name, ' ');
        if (space) {
            int n = (int)(space - bx_commands[i].name);
            bx_buf_addf(out,
                        "complete -c boxagnts -n __fish_use_subcommand -a %.*s\ncomplete -c "
                        "boxagnts -n '__fish_seen_subcommand_from %.*s' -a %s -d \"%s\"\n",
                        n, bx_commands[i].name, n, bx_commands[i].name, space + 1,
                        bx_commands[i].help);
        } else {
            bx_buf_addf(out, "complete -c boxagnts -n __fish_use_subcommand -a %s -d \"%s\"\n",
                        bx_commands[i].name, bx_commands[i].help);
        }
    }
    for (size_t i = 0; i < bx_option_count; i++) {
        bx_buf_addf(out, "complete -c boxagnts -l %s%s\n", bx_options[i].name,
                    bx_options[i].value ? " -r" : "");
    }
}

int bx_cmd_completion(const struct bx_args *args) {
    const char *shell = args->operands.p[0];
    struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    if (strcmp(shell, "bash") == 0) {
        bash(&out);
    } else if (strcmp(shell, "zsh") == 0) {
        bx_buf_addz(&out, "autoload -U +X bashcompinit && bashcompinit\n");
        bash(&out);
    } else if (strcmp(shell, "fish") == 0) {
        fish(&out);
    } else {
        struct bx_err err;
        bx_fail(&err, BX_ERR_INVALID, "completion is there for bash, zsh and fish, not for %.40s",
                shell);
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    return bx_cli_print(&out);
}
