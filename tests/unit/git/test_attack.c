/* A repository and worktrees that were made to run something: nothing of it ever runs. With the
 * controls off it does, which shows that the traps are real. */
#include "repository.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "git/internal.h"

/* A script that leaves a mark, and every place of a repository that can name a program. The script
 * lies where the wall does not reach, and in the repository. */
static void plant(void) {
    sh("mkdir $D/marks; printf '#!/bin/sh\\ntouch %s/marks/$1\\ncat\\nexit 0\\n' > $D/evil; chmod "
       "755 $D/evil; cp $D/evil evil",
       r_dir);
    sh("echo '* filter=evil diff=evil merge=evil' > .gitattributes; git add -A; git commit -qm "
       "traps");
    sh("git config filter.evil.smudge \"$D/evil smudge\"; git config filter.evil.clean \"$D/evil "
       "clean\";"
       "git config filter.evil.required true; git config diff.evil.textconv \"$D/evil textconv\";"
       "git config diff.evil.command \"$D/evil diff-command\"; git config diff.external \"$D/evil "
       "external\";"
       "git config merge.evil.driver \"$D/evil merge-driver\"; git config core.fsmonitor \"$D/evil "
       "fsmonitor\";"
       "git config core.pager \"$D/evil pager\"; git config core.editor \"$D/evil editor\"; git "
       "config core.sshCommand \"$D/evil ssh\";"
       "git config credential.helper \"!$D/evil credential\"; git config core.alternateRefsCommand "
       "\"$D/evil alternate\";"
       "git config gpg.program \"$D/evil\"; git config commit.gpgSign true; git config "
       "alias.read-tree \"!$D/evil alias\";"
       "git config submodule.recurse true; git config gc.auto 1");
    sh("for h in post-checkout reference-transaction post-index-change pre-commit post-commit "
       "post-merge prepare-commit-msg; do "
       "printf '#!/bin/sh\\ntouch %s/marks/hook-%%s\\n' $h > .git/hooks/$h; chmod 755 "
       ".git/hooks/$h; done",
       r_dir);
}

/* A guest's own: repositories inside the worktree, attributes, a .git in its place. */
static void plant_in(const char *tree) {
    char command[2000];
    snprintf(
        command, sizeof command,
        "cd %s; mkdir -p sub .git; cd sub; git init -q; echo x > x; git add x; git commit -qm x;"
        "git config core.fsmonitor \"$D/evil sub-fsmonitor\"; git config filter.evil.clean "
        "\"$D/evil sub-clean\"; cd ..;"
        "cp -r sub/.git/. .git; ln -s $D/secret link; ln -s $D outside;"
        "printf '[submodule \"s\"]\\n\\tpath = sub\\n\\turl = /dev/null\\n\\tupdate = !touch "
        "%s/marks/update\\n' > .gitmodules;"
        "echo '* filter=evil diff=evil' > src/.gitattributes; echo more >> a.txt",
        tree, r_dir);
    sh("echo secret > $D/secret; %s", command);
}

/* One worktree through all that can be done with it. What fails, fails: the traps are what is
 * looked at. */
static void everything(void) {
    struct bx_worktree t, u;
    struct bx_worktree_answer a = {0};
    struct bx_buf patch = BX_BUF_INIT(BX_MIB);
    bool cut;
    if (bx_worktree_add(r_trees, "", NULL, NULL, &t, NULL))
        return;
    plant_in(t.path);
    (void)bx_worktree_diff(r_trees, t.id, &patch, &cut, NULL);
    (void)bx_worktree_finish(r_trees, t.id, NULL, NULL);
    if (bx_worktree_add(r_trees, "", t.id, NULL, &u, NULL) == 0) {
        put_file(u.path, "src/b.txt", "of the second\n");
        (void)bx_worktree_finish(r_trees, u.id, NULL, NULL);
        (void)bx_worktree_merge(r_trees, u.id, &a, NULL);
        bx_worktree_answer_deinit(&a);
        bx_worktree_deinit(&u);
    }
    sh("echo three > c.txt; git -c core.fsmonitor=false -c core.hooksPath=/dev/null -c "
       "commit.gpgSign=false -c filter.evil.clean=cat "
       "-c filter.evil.smudge=cat commit -qm more --no-verify --allow-empty");
    (void)bx_worktree_merge(r_trees, t.id, &a, NULL);
    bx_worktree_answer_deinit(&a);
    (void)bx_worktree_discard(r_trees, t.id, NULL, NULL);
    bx_buf_deinit(&patch);
    bx_worktree_deinit(&t);
}

/* The marks that must be there, and no other. */
static void assert_marks(const char *wanted) {
    assert_says("ls ../marks | tr '\\n' ' '", wanted);
}

static void test_nothing_runs(void **state) {
    (void)state;
    plant();
    everything();
    assert_marks("");
}

#ifdef BX_UNWIRE
/* Either of wall and configuration is enough by itself. */
static void test_each_control_alone(void **state) {
    (void)state;
    static const char *const off[] = {"git_config,git_hooks", "git_wall",
                                      "git_wall,git_config,git_hooks"};
    for (size_t i = 0; i < BX_ARRAY_LEN(off); i++) {
        teardown(state);
        setup(state);
        plant();
        setenv("BX_UNWIRE", off[i], 1);
        everything();
        unsetenv("BX_UNWIRE");
        assert_marks(i == 2 ? "clean hook-reference-transaction smudge" : "");
    }
}

/* Objects that lead out of the root: the wall, and nothing else, is in the way. */
static void test_objects_elsewhere(void **state) {
    (void)state;
    for (int off = 0; off < 2; off++) {
        struct bx_worktree t;
        sh("rm -rf $D/other; mv .git/objects $D/other; ln -s $D/other .git/objects; cd $D/other; "
           "find . | sort > $D/before");
        if (off)
            setenv("BX_UNWIRE", "git_wall", 1);
        int rc = bx_worktree_add(r_trees, "", NULL, NULL, &t, NULL);
        if (!rc) {
            put_file(t.path, "new.txt", "new\n");
            rc = bx_worktree_finish(r_trees, t.id, NULL, NULL);
            bx_worktree_deinit(&t);
        }
        unsetenv("BX_UNWIRE");
        assert_int_equal(rc != 0, !off);
        assert_says("cd ../other; find . | sort | cmp -s - ../before; echo $?", off ? "1" : "0");
        sh("rm .git/objects; mv $D/other .git/objects");
    }
}
#endif

/* What a guest left in a worktree is taken as files, and nothing that it points to. */
static void test_links_are_links(void **state) {
    (void)state;
    struct bx_worktree t = add(NULL);
    sh("mkdir $D/marks");
    plant_in(t.path);
    finish(&t);
    assert_non_null(strstr(t.problem, "sub/"));
    char command[200];
    snprintf(command, sizeof command, "git ls-tree -r %s | tr '\\t' ' ' | cut -d' ' -f1,4-", t.tip);
    assert_says(command, "100644 .gitmodules\n100644 a.txt\n120000 link\n120000 outside\n100644 "
                         "src/.gitattributes\n100644 src/b.txt");
    bx_worktree_deinit(&t);
}

static void test_dot_git_elsewhere(void **state) {
    (void)state;
    struct bx_err err = {0};
    sh("mkdir $D/b; cd $D/b; git init -q -b x; echo x > x; git add x; git commit -qm x");
    sh("mv .git $D/mine; ln -s $D/b/.git .git");
    assert_int_equal(bx_worktree_add(r_trees, "", NULL, NULL, NULL, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "is a link"));
    sh("rm .git; echo \"gitdir: $D/b/.git\" > .git");
    assert_int_equal(bx_worktree_add(r_trees, "", NULL, NULL, NULL, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "a file that points elsewhere"));
    /* a folder that says that the rest of it is elsewhere */
    sh("rm .git; cp -r $D/mine .git; echo $D/b/.git > .git/commondir");
    assert_int_not_equal(bx_worktree_add(r_trees, "", NULL, NULL, NULL, &err), 0);
    assert_says("git -C ../b branch --format='%(refname:short)'", "x");
    assert_says("ls ../state/worktrees 2>/dev/null", "");
}

static void test_git_of_the_project_is_not_taken(void **state) {
    (void)state;
    bx_auto(bx_freep) char *before = bx_strdup(getenv("PATH"));
    bx_auto(bx_freep) char *path = bx_asprintf("%s/bin:%s/scripts:.:%s", r_root, r_dir, before);
    const char *found, *version;
    struct bx_err err = {0};
    sh("mkdir bin $D/scripts; cp $(command -v git) bin/git; printf '#!/bin/sh\\n' > "
       "$D/scripts/git; chmod 755 $D/scripts/git");
    setenv("PATH", path, 1);
    assert_int_equal(bx_worktrees_git(r_trees, &found, &version, &err), 0);
    assert_null(strstr(found, r_dir));
    bx_auto(bx_freep) char *only = bx_asprintf("%s/bin:%s/scripts", r_root, r_dir);
    struct bx_worktrees *fresh = bx_worktrees_new(r_root, r_state);
    setenv("PATH", only, 1);
    assert_int_equal(bx_worktrees_git(fresh, &found, &version, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "install git"));
    bx_worktrees_free(fresh);
    setenv("PATH", before, 1);
}

/* ---- the wall itself, tried from inside ---- */

static int try_socket(void) {
    return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}
static int try_unix_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}
static int try_fork(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}
static int try_exec(void) {
    char *none[] = {NULL};
    execve("/bin/true", none, none);
    return errno;
}
static int try_read(void) {
    return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}
static int try_write_read_only(void) {
    char path[100];
    snprintf(path, sizeof path, "%s/a.txt", r_root);
    return open(path, O_WRONLY) < 0 ? errno : 0;
}
static int try_read_allowed(void) {
    char path[100];
    snprintf(path, sizeof path, "%s/a.txt", r_root);
    return open(path, O_RDONLY) < 0 ? errno : 0;
}

static int behind(int (*try)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        char read_only[] = "r", base[] = "-";
        char *rules[] = {read_only, base, r_root};
        _exit(bx_git_wall(rules, rules + 3, NULL) < 0 ? 255 : try());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_the_wall(void **state) {
    (void)state;
    assert_int_equal(behind(try_socket), EPERM);
    assert_int_equal(behind(try_unix_socket), EPERM);
    assert_int_equal(behind(try_fork), EPERM);
    assert_int_equal(behind(try_exec), EACCES);
    assert_int_equal(behind(try_read), EACCES);
    assert_int_equal(behind(try_write_read_only), EACCES);
    assert_int_equal(behind(try_read_allowed), 0);
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "git_wall", 1);
    assert_int_equal(behind(try_socket), 0);
    assert_int_equal(behind(try_fork), 0);
    assert_int_equal(behind(try_read), 0);
    unsetenv("BX_UNWIRE");
#endif
}

/* ---- root's powers, as the program that the child becomes has them ---- */

/* This program in git's place: says what it holds, and tries what needs a power. */
static int as_git(int argc, char **argv) {
    FILE *status = NULL;
    if (strcmp(argv[argc - 1], "--version") == 0) {
        puts("git version 2.99.0");
    } else {
        status = fopen("/proc/self/status", "r");
        printf("chown %d\n", chown(argv[argc - 1], 12345, 12345) < 0 ? errno : 0);
    }
    for (char line[200]; status && fgets(line, sizeof line, status);)
        if (strncmp(line, "Cap", 3) == 0)
            fputs(line, stdout);
    _exit(fflush(stdout)); /* a sanitizer would look for leaks now, which the wall does not allow */
}

static uint64_t power_set(const struct bx_git_result *r, const char *name) {
    uint64_t held = UINT64_MAX;
    const char *at = strstr(bx_buf_z(&r->out), name);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(name), ":%" SCNx64, &held), 1);
    return held;
}

static struct bx_git_result behind_as_git(void) {
    bx_auto(bx_freep) char *before = bx_strdup(getenv("PATH"));
    bx_auto(bx_freep) char *path = bx_path_join(r_dir, "as-git");
    bx_auto(bx_freep) char *self = bx_path_real("/proc/self/exe", NULL);
    bx_auto(bx_freep) char *file = bx_path_join(r_root, "a.txt");
    bx_auto(bx_git_freep) struct bx_git *git = NULL;
    const struct bx_git_reach reach[] = {{.path = r_root, .writable = true}, {.path = "/proc"}};
    const char *const argv[] = {"powers", file, NULL};
    struct bx_git_result result;
    sh("mkdir -p %s; ln -sfn %s %s/git", path, self, path);
    setenv("PATH", path, 1);
    assert_int_equal(bx_git_find(NULL, &git, NULL), 0);
    setenv("PATH", before, 1);
    struct bx_git_call call = {
        .git = git, .reach = reach, .reach_count = 2, .work_tree = r_root, .argv = argv};
    assert_int_equal(bx_git_run(&call, &result, NULL), 0);
    assert_int_equal(result.status, 0);
    return result;
}

static void test_root_without_its_powers(void **state) {
    (void)state;
    const uint64_t of_files = 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER;
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    if (geteuid() != 0)
        skip(); /* there is nothing to drop */
    struct bx_git_result r = behind_as_git();
    for (size_t i = 0; i < BX_ARRAY_LEN(sets); i++)
        assert_int_equal(power_set(&r, sets[i]) & ~of_files, 0);
    assert_non_null(strstr(bx_buf_z(&r.out), "chown 1\n"));
    bx_git_result_deinit(&r);
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "git_powers", 1);
    r = behind_as_git();
    unsetenv("BX_UNWIRE");
    assert_int_not_equal(power_set(&r, "CapEff") & ~of_files, 0);
    assert_non_null(strstr(bx_buf_z(&r.out), "chown 0\n"));
    bx_git_result_deinit(&r);
#endif
}

/* As in a container: the server is root, the workspace is of somebody, who keeps it private. */
static void test_root_in_somebody_elses_root(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    sh("echo '*.o' > .git/info/exclude; chmod -R go= .; chown -R 12345:12345 .");
    struct bx_worktree t = add(NULL);
    put_file(t.path, "new.txt", "new\n");
    finish(&t);
    assert_string_equal(t.problem ? t.problem : "", "");
    struct bx_worktree_answer a = merge(&t);
    assert_file(r_root, "new.txt", "new\n");
    bx_worktree_answer_deinit(&a);
    bx_worktree_deinit(&t);
}

#ifdef BX_UNWIRE
#define OFF_POSITIONS IN_REPOSITORY(test_each_control_alone), IN_REPOSITORY(test_objects_elsewhere),
#else
#define OFF_POSITIONS
#endif

GIT_MAIN(as_git, OFF_POSITIONS IN_REPOSITORY(test_nothing_runs),
         IN_REPOSITORY(test_links_are_links), IN_REPOSITORY(test_dot_git_elsewhere),
         IN_REPOSITORY(test_git_of_the_project_is_not_taken), IN_REPOSITORY(test_the_wall),
         IN_REPOSITORY(test_root_without_its_powers),
         IN_REPOSITORY(test_root_in_somebody_elses_root))
