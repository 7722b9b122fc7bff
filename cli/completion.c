/*
 * gantry completion: scripts for shells. They ask `gantry __complete WORD...` (cli/complete.c) what
 * may stand in the place of the last word, so they never need to change.
 */
#include <stdio.h>
#include <string.h>

#include "cli/flags.h"

/* Bash splits words at "=", so what stands before it is taken off the answers again. */
static const char bash[] =
    "# bash completion for gantry: source <(gantry completion bash)\n"
    "_gantry() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} last candidate\n"
    "    local -a words\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=(\"\")\n"
    "    last=${words[${#words[@]}-1]}\n"
    "    COMPREPLY=()\n"
    "    while IFS= read -r candidate; do\n"
    "        if [[ $candidate == :files ]]; then\n"
    "            compopt -o default 2>/dev/null\n"
    "            return\n"
    "        fi\n"
    "        [[ $last == -*=* ]] && candidate=${candidate#\"${last%%=*}=\"}\n"
    "        COMPREPLY+=(\"$candidate\")\n"
    "    done < <(\"${words[0]}\" __complete \"${words[@]:1}\" 2>/dev/null)\n"
    "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=/] ]] && "
    "compopt -o nospace 2>/dev/null\n"
    "    return 0\n"
    "}\n"
    "complete -F _gantry gantry\n";

static const char zsh[] =
    "#compdef gantry\n"
    "# zsh completion for gantry: source <(gantry completion zsh)\n"
    "_gantry() {\n"
    "    local -a candidates\n"
    "    candidates=(\"${(@f)$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)}\")\n"
    "    if [[ ${candidates[1]} == :files ]]; then\n"
    "        _files\n"
    "        return\n"
    "    fi\n"
    "    compadd -Q -- \"${(@)candidates:#}\"\n"
    "}\n"
    "compdef _gantry gantry\n";

static const char fish[] =
    "# fish completion for gantry: gantry completion fish | source\n"
    "function __gantry_candidates\n"
    "    set -l words (commandline -opc)\n"
    "    set -l candidates ($words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)\n"
    "    if test \"$candidates[1]\" = :files\n"
    "        __fish_complete_path (commandline -ct)\n"
    "    else\n"
    "        printf '%s\\n' $candidates\n"
    "    end\n"
    "end\n"
    "complete -c gantry -f -a '(__gantry_candidates)'\n";

static int completion_act(struct cli *c, const void *options, const struct words *w)
{
    static const char *const shells[] = { "bash", "zsh", "fish" };
    static const char *const scripts[] = { bash, zsh, fish };
    (void)c;
    (void)options;
    if (w->count == 0)
        return cli_error("Shell not specified.\nSee 'gantry completion -h' for help and examples");
    if (w->count > 1)
        return cli_error("Too many arguments. Expected only the shell type.\nSee 'gantry "
                         "completion -h' for help and examples");
    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(w->items[0], shells[i]) == 0) {
            (void)fputs(scripts[i], stdout); /* a closed pipe ends us by its own means */
            return CLI_OK;
        }
    }
    return cli_error("Unsupported shell type \"%s\".\nSee 'gantry completion -h' for help and "
                     "examples",
                     w->items[0]);
}

const struct verb completion_verb = {
    .name = "completion",
    .summary = "a script that completes gantry's words in your shell",
    .about = "Prints a script for bash, zsh or fish. With it the shell completes verbs, flags, "
             "resources,\nand the names of objects as the server has them at that moment.",
    .examples = "  # In this bash\n  source <(gantry completion bash)\n\n"
                "  # In every bash to come\n"
                "  echo 'source <(gantry completion bash)' >>~/.bashrc\n\n"
                "  # In zsh\n  source <(gantry completion zsh)\n\n"
                "  # In fish\n  gantry completion fish | source",
    .help = "completion bash|zsh|fish",
    .offline = true,
    .completes = WORDS_SHELLS,
    .act = completion_act
};
