/* Pages before and after, whole and cut at every place. */
#include <string.h>

#include "base/arena.h"
#include "controlplane/apiserver/proxy_html.h"
#include "tests/unit/unit.h"

static const struct proxy_path path = { STR("/p"), STR("/") };

static struct str rewrite(struct arena *a, struct str page, size_t piece)
{
    struct proxy_html h;
    struct buf out;
    buf_init(&out);
    proxy_html_init(&h, &path, str_lit("10.0.0.1:80"), str_lit("me:1"));
    for (size_t at = 0; at < page.len; at += piece) {
        proxy_html_feed(&h, str_slice(page, at, at + piece), &out);
        assert_true(h.held.len <= PROXY_HTML_TAG_BYTES_MAX);
    }
    proxy_html_end(&h, &out);
    struct str text = str_copy(a, buf_str(&out));
    proxy_html_deinit(&h);
    buf_deinit(&out);
    return text;
}

static void test_pages(void **state)
{
    static const struct {
        const char *in;
        const char *out; /* NULL: as it was */
    } rows[] = {
        { "<a href=\"/x\">y</a>", "<a href=\"/p/x\">y</a>" },
        { "<A HREF='/x' class=/c>", "<A HREF='/p/x' class=/c>" },
        { "<a\n href = /x>", "<a\n href = /p/x>" },
        { "<a class=\"b>\" href=\"/x\">", "<a class=\"b>\" href=\"/p/x\">" },
        { "<img src=/a longdesc=\"/b\" alt=\"/c\"/>",
          "<img src=/p/a longdesc=\"/p/b\" alt=\"/c\"/>" },
        { "<a href=\"http://10.0.0.1:80/x?a&amp;b\">", "<a href=\"/p/x?a&amp;b\">" },
        { "<a href=\"//me:1/x\">", "<a href=\"/p/x\">" },
        { "<script src=\"/s\">'<a href=\"/x\">'</script><a href=/x>",
          "<script src=\"/p/s\">'<a href=\"/x\">'</script><a href=/p/x>" },
        { "<STYLE><a href=/x></Style ><a href=/x>", "<STYLE><a href=/x></Style ><a href=/p/x>" },
        { "<!--<a href=/x>--><a href=/x>", "<!--<a href=/x>--><a href=/p/x>" },
        { "<!--> <a href=/x>", "<!--> <a href=/p/x>" },
        { "<!doctype html><a href=/x>", "<!doctype html><a href=/p/x>" },
        { "1<2<<a href=/x>", "1<2<<a href=/p/x>" },
        { "<a disabled href=/x>", "<a disabled href=/p/x>" },
        { "<a =/ href=/x>", "<a =/ href=/p/x>" },
        { "<a href=/x", NULL },
        { "<a href=\"/x>", NULL },
        { "<a href>", NULL },
        { "<a href=>", NULL },
        { "<a href=x>", NULL },
        { "<a href=\"http://elsewhere/x\">", NULL },
        { "<a href=/p/x>", NULL },
        { "<p href=/x>", NULL },
        { "</a href=/x>", NULL },
        { "<script>a</scrip <a href=/x>", NULL },
        { "<title></</title <a href=/x>", "<title></</title <a href=/p/x>" },
        { "<", NULL },
        { "<!-", NULL },
        { "", NULL },
    };
    struct arena a;
    (void)state;
    arena_init(&a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *want = rows[i].out == NULL ? rows[i].in : rows[i].out;
        for (size_t piece = 1; piece < 70; piece++) {
            assert_string_equal(str_dup(&a, rewrite(&a, str_from(rows[i].in), piece)), want);
        }
    }
    arena_deinit(&a);
}

/* It passes, and what follows is seen again. */
static void test_long_tag(void **state)
{
    enum { LONG = 40000 };
    static const char end[] = " href=/x title='>'><a href=/x>";
    static const char want[] = " href=/x title='>'><a href=/p/x>";
    struct arena a;
    (void)state;
    arena_init(&a);
    char *page = arena_alloc(&a, LONG + sizeof(end));
    memset(page, 'b', LONG);
    memcpy(page, "<a ", 3);
    memcpy(page + LONG, end, sizeof(end) - 1);
    struct str out = rewrite(&a, str_of(page, LONG + sizeof(end) - 1), 1000);
    assert_int_equal(out.len, LONG + sizeof(want) - 1);
    assert_true(str_ends(out, str_from(want)));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages),
                                        cmocka_unit_test(test_long_tag) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
