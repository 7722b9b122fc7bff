/* See the header. */
#include "tests/unit/store/metrics_text.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define NUMBER_BYTES 64

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct parser {
    struct metrics_text *out;
    struct str family;
    enum kind kind;
    bool typed;
    /* Of a histogram: the series being read. */
    struct str labels; /* without le */
    double bucket;
    double bound;
    bool infinite;
};

static struct str first_word(struct str *rest)
{
    struct str word;

    assert_true(str_split(rest, ' ', &word));
    return word;
}

static void check_name(struct str name)
{
    assert_true(name.len > 0);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';

        assert_true(letter || (i > 0 && c >= '0' && c <= '9'));
    }
}

/* name="value",...: values without quotes, backslashes or newlines, as ours are. */
static void check_labels(struct str labels)
{
    while (labels.len > 0) {
        struct str name;
        size_t end = 1;

        assert_true(str_split(&labels, '=', &name));
        check_name(name);
        assert_true(labels.len >= 2 && labels.data[0] == '"');
        while (end < labels.len && labels.data[end] != '"')
            assert_true(labels.data[end++] != '\\');
        assert_true(end < labels.len);
        labels = str_slice(labels, end + 1, labels.len);
        if (labels.len == 0)
            return;
        assert_true(labels.data[0] == ',' && labels.len > 1);
        labels = str_slice(labels, 1, labels.len);
    }
}

static double number(struct str text)
{
    char copy[NUMBER_BYTES];
    char *end;
    double value;

    assert_true(text.len > 0 && text.len < sizeof(copy));
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    value = strtod(copy, &end);
    assert_true(*end == '\0');
    return value;
}

static void begin_family(struct parser *p, struct str name)
{
    check_name(name);
    for (size_t i = 0; i < p->out->families_count; i++)
        if (str_eq(p->out->families[i], name))
            fail_msg("%.*s comes twice", (int)name.len, (const char *)name.data);
    assert_true(p->out->families_count < METRICS_FAMILIES_MAX);
    p->out->families[p->out->families_count++] = name;
    p->family = name;
    p->typed = false;
}

static void comment(struct parser *p, struct str line)
{
    struct str hash = first_word(&line);
    struct str what = first_word(&line);
    struct str name = first_word(&line);

    assert_true(str_eq_c(hash, "#"));
    if (str_eq_c(what, "HELP")) {
        begin_family(p, name);
        assert_true(line.len > 0);
        return;
    }
    assert_true(str_eq_c(what, "TYPE") && str_eq(name, p->family) && !p->typed);
    p->typed = true;
    p->infinite = true;
    if (str_eq_c(line, "histogram"))
        p->kind = HISTOGRAM;
    else if (str_eq_c(line, "gauge"))
        p->kind = GAUGE;
    else
        p->kind = COUNTER;
    assert_true(p->kind != COUNTER || str_eq_c(line, "counter"));
}

/* The bound of a bucket; the labels before it in *out_rest. */
static double bound_of(struct str labels, struct str *out_rest)
{
    ptrdiff_t at = str_find(labels, str_lit("le=\""));

    assert_true(at >= 0);
    *out_rest = str_slice(labels, 0, at > 0 ? (size_t)at - 1 : 0);
    labels = str_slice(labels, (size_t)at + 4, labels.len - 1);
    return str_eq_c(labels, "+Inf") ? 1e300 : number(labels);
}

/* suffix: what follows the family's name. */
static void histogram(struct parser *p, struct str suffix, struct str labels, double value)
{
    struct str rest;

    if (str_eq_c(suffix, "_bucket")) {
        double bound = bound_of(labels, &rest);

        if (p->infinite) { /* a new series begins */
            p->labels = rest;
            p->bucket = 0;
            p->bound = -1;
            p->infinite = false;
        }
        assert_true(str_eq(rest, p->labels) && bound > p->bound && value >= p->bucket);
        p->bucket = value;
        p->bound = bound;
        p->infinite = bound >= 1e300;
        return;
    }
    assert_true(p->infinite && str_eq(labels, p->labels));
    if (str_eq_c(suffix, "_count"))
        assert_true(value == p->bucket);
    else
        assert_true(str_eq_c(suffix, "_sum"));
}

static void sample(struct parser *p, struct str line)
{
    ptrdiff_t space = str_find_char(line, ' ', 0);
    struct str series = str_slice(line, 0, (size_t)space);
    struct str labels = str_lit("");
    struct str name = series;
    ptrdiff_t open = str_find_char(series, '{', 0);
    double value;

    assert_true(space > 0 && p->typed);
    value = number(str_slice(line, (size_t)space + 1, line.len));
    if (open >= 0) {
        assert_true(series.data[series.len - 1] == '}');
        labels = str_slice(series, (size_t)open + 1, series.len - 1);
        name = str_slice(series, 0, (size_t)open);
    }
    check_name(name);
    check_labels(labels);
    assert_true(str_starts(name, p->family));
    if (p->kind == HISTOGRAM)
        histogram(p, str_slice(name, p->family.len, name.len), labels, value);
    else
        assert_true(str_eq(name, p->family) && (p->kind == GAUGE || value >= 0));
    for (size_t i = 0; i < p->out->samples_count; i++)
        if (str_eq(p->out->samples[i].series, series))
            fail_msg("%.*s comes twice", (int)series.len, (const char *)series.data);
    assert_true(p->out->samples_count < METRICS_SAMPLES_MAX);
    p->out->samples[p->out->samples_count++] =
        (struct metrics_sample){ .family = p->family, .series = series, .value = value };
}

void metrics_parse(struct metrics_text *out, struct str text)
{
    struct parser p = { .out = out };
    struct str line;

    out->families_count = 0;
    out->samples_count = 0;
    assert_true(text.len > 0 && text.data[text.len - 1] == '\n');
    text.len--;
    while (str_split(&text, '\n', &line)) {
        assert_true(line.len > 0);
        if (line.data[0] == '#')
            comment(&p, line);
        else
            sample(&p, line);
    }
}

bool metrics_has_family(const struct metrics_text *m, const char *family)
{
    for (size_t i = 0; i < m->families_count; i++)
        if (str_eq_c(m->families[i], family))
            return true;
    return false;
}

double metrics_sum(const struct metrics_text *m, const char *name, const char *with)
{
    bool found = false;
    double sum = 0;

    for (size_t i = 0; i < m->samples_count; i++) {
        struct str series = m->samples[i].series;
        ptrdiff_t open = str_find_char(series, '{', 0);

        if (!str_eq_c(str_slice(series, 0, open < 0 ? series.len : (size_t)open), name) ||
            str_find(series, str_from(with)) < 0)
            continue;
        sum += m->samples[i].value;
        found = true;
    }
    if (!found)
        fail_msg("no sample %s with %s", name, with);
    return sum;
}
