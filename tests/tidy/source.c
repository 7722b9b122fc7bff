/* C text without what is not code: a small scanner, enough for our own formatted sources. */
#include "tests/tidy/tidy.h"

bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void blank(char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (text[i] != '\n')
            text[i] = ' ';
}

/* Where a string or character literal that starts at i ends. */
static size_t literal_end(struct str s, size_t i)
{
    char quote = s.data[i++];
    while (i < s.len && s.data[i] != quote && s.data[i] != '\n')
        i += s.data[i] == '\\' ? 2 : 1;
    return i < s.len ? i + 1 : s.len;
}

static size_t comment_end(struct str s, size_t i)
{
    ptrdiff_t end = str_find(str_slice(s, i + 2, s.len), str_lit("*/"));
    return end < 0 ? s.len : i + 2 + (size_t)end + 2;
}

/* The end of a directive: a newline that no backslash precedes. */
static size_t directive_end(struct str s, size_t i)
{
    while (i < s.len && (s.data[i] != '\n' || s.data[i - 1] == '\\'))
        i += s.data[i] == '/' && i + 1 < s.len && s.data[i + 1] == '*' ? comment_end(s, i) - i : 1;
    return i;
}

struct str source_code(struct arena *a, struct str text)
{
    char *code = str_dup(a, text);
    bool line_start = true;
    size_t i = 0;
    while (i < text.len) {
        size_t end = i;
        char c = text.data[i];
        if (c == '/' && i + 1 < text.len && text.data[i + 1] == '*')
            end = comment_end(text, i);
        else if (c == '"' || c == '\'')
            end = literal_end(text, i);
        else if (c == '#' && line_start)
            end = directive_end(text, i);
        if (end > text.len)
            end = text.len;
        if (c == '\n')
            line_start = true;
        else if (c != ' ' && c != '\t')
            line_start = false;
        if (end > i)
            blank(code, i, end);
        i = end > i ? end : i + 1;
    }
    return str_of(code, text.len);
}
