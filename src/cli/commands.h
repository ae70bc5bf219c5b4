/* cli/commands.h: every sub-command's main; the table is commands.c, one file a noun (cmd_*.c). Each returns an exit code
 * and has said on stderr, in one line, what went wrong. */
#ifndef BX_CLI_COMMANDS_H
#define BX_CLI_COMMANDS_H

#include "base/blob.h"
#include "cli/args.h"

int bx_cmd_serve(const struct bx_args *args);
int bx_cmd_run(const struct bx_args *args);
int bx_cmd_chat(const struct bx_args *args);
int bx_cmd_tool_list(const struct bx_args *args);
int bx_cmd_tool_describe(const struct bx_args *args);
int bx_cmd_tool_run(const struct bx_args *args);
int bx_cmd_tool_new(const struct bx_args *args);
int bx_cmd_mcp_list(const struct bx_args *args);
int bx_cmd_mcp_add(const struct bx_args *args);
int bx_cmd_mcp_remove(const struct bx_args *args);
int bx_cmd_mcp_test(const struct bx_args *args);
int bx_cmd_mcp_approve(const struct bx_args *args);
int bx_cmd_mcp_login(const struct bx_args *args);
int bx_cmd_mcp_logout(const struct bx_args *args);
int bx_cmd_agent_list(const struct bx_args *args);
int bx_cmd_agent_show(const struct bx_args *args);
int bx_cmd_agent_new(const struct bx_args *args);
int bx_cmd_agent_check(const struct bx_args *args);
int bx_cmd_agent_remove(const struct bx_args *args);
int bx_cmd_memory_show(const struct bx_args *args); /* cmd_memory.c */
int bx_cmd_memory_add(const struct bx_args *args);
int bx_cmd_memory_set(const struct bx_args *args);
int bx_cmd_pack_list(const struct bx_args *args);
int bx_cmd_pack_show(const struct bx_args *args);
int bx_cmd_pack_put(const struct bx_args *args);
int bx_cmd_pack_remove(const struct bx_args *args);
int bx_cmd_worktree_list(const struct bx_args *args);
int bx_cmd_worktree_diff(const struct bx_args *args);
int bx_cmd_worktree_merge(const struct bx_args *args);
int bx_cmd_worktree_keep(const struct bx_args *args);
int bx_cmd_worktree_discard(const struct bx_args *args);
int bx_cmd_worktree_clean(const struct bx_args *args);
int bx_cmd_skill_list(const struct bx_args *args);
int bx_cmd_skill_show(const struct bx_args *args);
int bx_cmd_skill_check(const struct bx_args *args);
int bx_cmd_skill_add(const struct bx_args *args);
int bx_cmd_skill_remove(const struct bx_args *args);
int bx_cmd_skill_pack(const struct bx_args *args);
int bx_cmd_skill_new(const struct bx_args *args);
int bx_cmd_skill_trust(const struct bx_args *args);
int bx_cmd_grant_list(const struct bx_args *args);
int bx_cmd_grant_add(const struct bx_args *args);
int bx_cmd_grant_remove(const struct bx_args *args);
int bx_cmd_verify(const struct bx_args *args);
int bx_cmd_session_list(const struct bx_args *args);
int bx_cmd_session_show(const struct bx_args *args);
int bx_cmd_session_export(const struct bx_args *args);
int bx_cmd_session_search(const struct bx_args *args);
int bx_cmd_session_fsck(const struct bx_args *args);
int bx_cmd_session_rename(const struct bx_args *args); /* cmd_session_change.c */
int bx_cmd_session_pin(const struct bx_args *args);
int bx_cmd_session_unpin(const struct bx_args *args);
int bx_cmd_session_delete(const struct bx_args *args);
int bx_cmd_session_restore(const struct bx_args *args);
int bx_cmd_session_fork(const struct bx_args *args);
int bx_cmd_session_import(const struct bx_args *args);
int bx_cmd_model_list(const struct bx_args *args);
int bx_cmd_model_pull(const struct bx_args *args);
int bx_cmd_model_rm(const struct bx_args *args);
int bx_cmd_doctor(const struct bx_args *args);
int bx_cmd_config_get(const struct bx_args *args);
int bx_cmd_config_set(const struct bx_args *args);
int bx_cmd_config_path(const struct bx_args *args);
int bx_cmd_secret_set(const struct bx_args *args);
int bx_cmd_secret_list(const struct bx_args *args);
int bx_cmd_secret_remove(const struct bx_args *args);
int bx_cmd_completion(const struct bx_args *args);
int bx_cmd_licences(const struct bx_args *args);
int bx_cmd_version(const struct bx_args *args);

/* Parses and runs; what main() calls when this is no child process. */
int bx_cli_main(int argc, char **argv);

/* "boxagnts: message" on stderr; gives code. */
int bx_cli_fail(int exit_code, const struct bx_err *err);
/* Prints a buffer and frees it; BX_EXIT_FAILED when stdout cannot take it. */
int bx_cli_print(struct bx_buf *take_out);

extern const struct bx_blob bx_notices, bx_licence; /* cmake/embed.py */
extern const struct bx_file_blob bx_tool_examples[]; /* examples/tools */
extern const struct bx_file_blob bx_bundled_skills[]; /* skills */
extern const struct bx_file_blob bx_builtin_agents[], bx_agent_examples[]; /* agents, examples/agents */

#endif
