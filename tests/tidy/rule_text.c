/* Rules over one file's text: columns, lengths, comments, guards, words. */
#include "tests/tidy/tidy.h"

#define COLUMNS_MAX        100
#define FUNCTION_LINES_MAX 70
#define FILE_LINES_MAX     600

static int columns_of(struct str line)
{
    int n = 0;
    for (size_t i = 0; i < line.len; i++)
        n += ((unsigned char)line.data[i] & 0xC0) != 0x80; /* characters, not bytes */
    return n;
}

bool find_word(struct str text, struct str word, struct str *out_rest)
{
    size_t from = 0;
    for (;;) {
        ptrdiff_t at = str_find(str_slice(text, from, text.len), word);
        if (at < 0)
            return false;
        size_t start = from + (size_t)at;
        size_t end = start + word.len;
        bool left = start == 0 || !is_word_byte(text.data[start - 1]);
        bool right = end == text.len || !is_word_byte(text.data[end]);
        *out_rest = str_slice(text, end, text.len);
        if (left && right)
            return true;
        from = start + 1;
    }
}

/* Words that need an issue number; spelled apart so that this file passes its own rule. */
static bool has_open_word(struct str line)
{
    static const char *const words[] = { "TO"
                                         "DO",
                                         "FIX"
                                         "ME",
                                         "XX"
                                         "X" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct str rest;
        if (!find_word(line, str_from(words[i]), &rest))
            continue;
        ptrdiff_t hash = str_find_char(rest, '#', 0);
        bool numbered = hash >= 0 && (size_t)hash + 1 < rest.len && rest.data[hash + 1] >= '0' &&
                        rest.data[hash + 1] <= '9';
        if (!numbered)
            return true;
    }
    return false;
}

static void check_lines(const struct file *file, struct findings *f)
{
    struct str rest = file->text;
    struct str line;
    int number = 0;
    while (str_split(&rest, '\n', &line)) {
        number++;
        if (columns_of(line) > COLUMNS_MAX)
            report(f, "columns", file->path, number, "%d columns, at most %d", columns_of(line),
                   COLUMNS_MAX);
        if (has_open_word(line))
            report(f, "words", file->path, number, "an open end needs an issue number (#N)");
        if (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\r'))
            report(f, "columns", file->path, number, "white space at the end");
    }
    if (number - 1 > FILE_LINES_MAX)
        report(f, "file-lines", file->path, 0, "%d lines, at most %d", number - 1, FILE_LINES_MAX);
}

/* In our format a function's braces, and nothing else's, stand alone in the first column. */
static void check_functions(const struct file *file, struct findings *f)
{
    struct str rest = file->code;
    struct str line;
    int number = 0;
    int opened = 0;
    while (str_split(&rest, '\n', &line)) {
        number++;
        if (line.len == 0)
            continue;
        if (line.data[0] == '{')
            opened = number;
        if (line.data[0] != '}' || opened == 0)
            continue;
        int lines = number - opened + 1;
        if (lines > FUNCTION_LINES_MAX)
            report(f, "function-lines", file->path, opened, "%d lines, at most %d", lines,
                   FUNCTION_LINES_MAX);
        opened = 0;
    }
}

static void check_comments(const struct file *file, struct findings *f)
{
    if (!str_starts(file->text, str_lit("/*")))
        report(f, "header-comment", file->path, 1, "the file does not begin with a comment");
    struct str rest = file->code;
    struct str line;
    int number = 0;
    while (str_split(&rest, '\n', &line)) {
        number++;
        if (str_find(line, str_lit("//")) >= 0)
            report(f, "comment-style", file->path, number, "line comments are not used");
    }
}

static void check_guard(const struct file *file, struct findings *f)
{
    char guard[256] = "";
    size_t n = 0;
    for (; n < file->path.len && n + 1 < sizeof(guard); n++) {
        char c = file->path.data[n];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        guard[n] = is_word_byte(c) ? c : '_';
    }
    struct arena scratch;
    arena_init(&scratch);
    struct str lines = str_printf(&scratch, "#ifndef %s\n#define %s\n", guard, guard);
    if (str_find(file->text, lines) < 0)
        report(f, "guard", file->path, 0, "the include guard is not %s", guard);
    arena_deinit(&scratch);
}

void rule_text(const struct tree *t, struct findings *f)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct file *file = &t->files[i];
        if (!file->is_c)
            continue;
        check_lines(file, f);
        check_functions(file, f);
        check_comments(file, f);
        if (str_ends(file->path, str_lit(".h")))
            check_guard(file, f);
    }
}
