use super::*;
use crate::{Exception, Stacktrace};

fn marked(frames: Vec<Frame>) -> Vec<Option<bool>> {
    let mut event = Event::new();
    event.exceptions.push(Exception { stacktrace: Some(Stacktrace { frames }), ..Exception::new("E", "x") });
    InApp::default().mark(&mut event);
    event.exceptions[0].frames().iter().map(|f| f.in_app).collect()
}

fn frame(function: &str, path: &str) -> Frame {
    Frame { function: Some(function.into()), abs_path: Some(path.into()), ..Frame::default() }
}

#[test]
fn libraries_and_runtimes_are_not_the_program() {
    let marks = marked(vec![
        frame("shop::main", "/srv/shop/src/main.rs"),
        frame("serde_json::from_str", "/home/ana/.cargo/registry/src/index/serde_json-1/src/de.rs"),
        frame("<F as axum::handler::Handler<S>>::call", "/x/handler.rs"),
        frame("run", "/srv/app/shop.py"),
        frame("get", "/venv/lib/python3.11/site-packages/requests/api.py"),
        frame("run", "/usr/lib/python3.11/threading.py"),
        frame("pay", "/srv/app/cart.js"),
        frame("next", "/srv/app/node_modules/express/router.js"),
        frame("emit", "node:events"),
    ]);
    assert_eq!(marks, [true, false, false, true, false, false, true, false, false].map(Some));
}

#[test]
fn a_rust_program_is_known_by_its_files() {
    let marks = marked(vec![
        frame("shop_server::main", "/build/shop-1.4.2/src/main.rs"),
        frame("shop_orders::pay", "/build/shop-1.4.2/crates/orders/src/pay.rs"),
        Frame { module: Some("crate::pay".into()), ..frame("{async fn}", "/build/shop-1.4.2/src/pay.rs") },
        // Dependencies are often built without debug information.
        frame("obscure::Pool::get", ""),
        frame("obscure::Pool<T>::get", "/home/ana/.cargo/registry/src/index/obscure-0.1.0/src/pool.rs"),
        frame("core::result::Result<T,E>::map_err", "/rustc/0/library/core/src/result.rs"),
    ]);
    assert_eq!(marks, [true, true, true, false, false, false].map(Some));
}

#[test]
fn without_files_the_crate_tells() {
    let marks = marked(vec![
        frame("shop::main", ""),
        frame("reqwest::Client::execute", ""),
        frame("<F as axum::handler::Handler<S>>::call", ""),
        frame("shop_orders::pay", ""),
    ]);
    assert_eq!(marks, [true, false, false, true].map(Some));
}

#[test]
fn what_a_client_said_stands() {
    let said = Frame { in_app: Some(true), ..frame("next", "/srv/node_modules/own/x.js") };
    assert_eq!(marked(vec![said]), [Some(true)]);
}

#[test]
fn panic_machinery_and_hooks_are_cut() {
    let hook = Frame { in_app: Some(true), ..frame("my_hooks::report", "/srv/src/hook.rs") };
    let marks = marked(vec![
        frame("std::panicking::try", ""),
        frame("shop::pay", "/srv/shop/src/pay.rs"),
        frame("core::result::unwrap_failed", ""),
        frame("core::panicking::panic_fmt", ""),
        frame("rust_begin_unwind", ""),
        hook,
    ]);
    assert_eq!(marks, [false, true, false, false, false, false].map(Some));
}

/// Frames as `function module path`, `-` for what is absent, those of the program marked with `*`.
fn check(platform: &str, frames: &str) {
    let said = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
    for line in frames.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (own, rest) = line.strip_prefix("* ").map_or((false, line), |rest| (true, rest));
        let [function, module, path] = rest.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let mut event = Event { platform: Some(platform.into()), ..Event::new() };
        let frame = Frame { function: said(function), module: said(module), abs_path: said(path), ..Frame::default() };
        let stacktrace = Some(Stacktrace { frames: vec![frame] });
        event.exceptions.push(Exception { stacktrace, ..Exception::new("E", "x") });
        InApp::default().mark(&mut event);
        assert_eq!(event.exceptions[0].frames()[0].in_app, Some(own), "{platform}: {line}");
    }
}

#[test]
fn python_programs_have_no_site_packages() {
    check(
        "python",
        r"
        * total shop.cart /srv/shop/shop/cart.py
        * total shop.cart /home/ana/python3/shop/cart.py
        * total cart C:\shop\cart.py
        * handler lambda_function /var/task/lambda_function.py
        get requests.api /srv/shop/.venv/lib/python3.12/site-packages/requests/api.py
        get requests.api C:\shop\venv\Lib\site-packages\requests\api.py
        get requests.api site-packages/requests/api.py
        run apt /usr/lib/python3/dist-packages/apt/cache.py
        run threading /usr/lib/python3.12/threading.py
        run threading /root/.pyenv/versions/3.12.1/lib/python3.12/threading.py
        run threading /opt/conda/lib/python3.11/threading.py
        run threading C:\Users\ana\AppData\Local\Programs\Python\Python312\Lib\threading.py
        run threading /usr/lib/pypy3.10/threading.py
        _run importlib <frozen&importlib._bootstrap>
        sum numpy <__array_function__&internals>
        handle awslambdaric /var/runtime/awslambdaric/bootstrap.py
        send boto3 /opt/python/boto3/session.py
        "
        .replace('&', " ")
        .as_str(),
    );
}

#[test]
fn javascript_programs_have_no_node_modules() {
    check(
        "javascript",
        r"
        * total - /srv/shop/src/cart.js
        * total - https://shop.example.com/assets/cart-DkQ3x9Lm.js
        * total - webpack://shop/./src/cart.js
        * total - app:///src/cart.ts
        * total - file:///C:/shop/cart.mjs
        * total - index.android.bundle
        next - /srv/shop/node_modules/express/lib/router.js
        next - C:\shop\node_modules\express\router.js
        next - webpack://shop/./node_modules/react-dom/index.js
        next - webpack:///~/react/index.js
        next - https://shop.example.com/_next/static/chunks/vendors-node_modules_react_index_js.js
        next - /srv/shop/.pnp.cjs
        emit - node:events
        emit - internal/process/task_queues.js
        emit - ext:deno_web/02_event.js
        emit - https://deno.land/std@0.224.0/http/server.ts
        emit - InternalBytecode.js
        emit - chrome-extension://abc/content.js
        emit - safari-web-extension://abc/content.js
        emit - https://cdn.jsdelivr.net/npm/vue@3/dist/vue.global.js
        emit - https://unpkg.com/react@18/umd/react.production.min.js
        emit - https://www.googletagmanager.com/gtm.js?id=GTM-1
        ",
    );
}

#[test]
fn java_and_kotlin_programs_are_known_by_their_packages() {
    check(
        "java",
        "
        * total com.shop.cart.Cart -
        * total de.javanauten.Cart -
        * invokeSuspend com.shop.web.CheckoutKt$checkout$2 -
        * total org.acme.Cart -
        invoke java.lang.reflect.Method -
        invoke jdk.internal.reflect.DirectMethodHandleAccessor -
        invoke0 sun.reflect.NativeMethodAccessorImpl -
        service jakarta.servlet.http.HttpServlet -
        resumeWith kotlin.coroutines.jvm.internal.BaseContinuationImpl -
        run kotlinx.coroutines.DispatchedTask -
        apply scala.collection.immutable.List -
        handleRequest io.ktor.server.netty.NettyApplicationCallHandler -
        doDispatch org.springframework.web.servlet.DispatcherServlet -
        doFilter org.apache.catalina.core.ApplicationFilterChain -
        query org.hibernate.internal.SessionImpl -
        getConnection com.zaxxer.hikari.HikariDataSource -
        execute org.postgresql.jdbc.PgStatement -
        read com.fasterxml.jackson.databind.ObjectMapper -
        get com.google.common.cache.LocalCache -
        onNext reactor.core.publisher.FluxMap -
        execute okhttp3.RealCall -
        performClick android.view.View -
        ",
    );
}

#[test]
fn go_programs_are_neither_modules_nor_the_standard_library() {
    check(
        "go",
        r"
        * (*Cart).Total github.com/acme/shop/cart /srv/shop/cart/cart.go
        * main main /srv/shop/main.go
        * main main ./main.go
        * (*Cart).Total github.com/acme/shop/cart github.com/acme/shop/cart/cart.go
        * (*Cart).Total github.com/acme/shop/cart /go/src/github.com/acme/shop/cart/cart.go
        * (*Cart).Total shop/net C:/shop/net/cart.go
        (*Mux).routeHTTP github.com/go-chi/chi/v5 /root/go/pkg/mod/github.com/go-chi/chi/v5@v5.0.12/mux.go
        (*Mux).routeHTTP github.com/go-chi/chi/v5 github.com/go-chi/chi/v5@v5.0.12/mux.go
        (*Mux).routeHTTP github.com/go-chi/chi/v5 /srv/shop/vendor/github.com/go-chi/chi/v5/mux.go
        (*Mux).routeHTTP github.com/go-chi/chi/v5 C:\Users\ana\go\pkg\mod\github.com\go-chi\chi\v5@v5.0.12\mux.go
        HandlerFunc.ServeHTTP net/http /usr/local/go/src/net/http/server.go
        HandlerFunc.ServeHTTP net/http /usr/lib/go-1.22/src/net/http/server.go
        HandlerFunc.ServeHTTP net/http /opt/hostedtoolcache/go/1.22.0/x64/src/net/http/server.go
        HandlerFunc.ServeHTTP net/http /opt/homebrew/Cellar/go/1.22.0/libexec/src/net/http/server.go
        HandlerFunc.ServeHTTP net/http /root/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.22.0.linux-amd64/src/net/http/server.go
        HandlerFunc.ServeHTTP net/http net/http/server.go
        Unmarshal encoding/json C:/Program&Files/Go/src/encoding/json/decode.go
        goexit runtime runtime/asm_amd64.s
        "
        .replace('&', " ")
        .as_str(),
    );
}

#[test]
fn ruby_programs_have_no_gems() {
    check(
        "ruby",
        r"
        * total - /srv/shop/app/models/cart.rb
        * total - app/models/cart.rb
        * total - /srv/gemstones/cart.rb
        call - /srv/shop/vendor/bundle/ruby/3.3.0/gems/rack-3.0.9/lib/rack/head.rb
        call - vendor/bundle/ruby/3.3.0/gems/rack-3.0.9/lib/rack/head.rb
        call - /usr/local/bundle/gems/rack-3.0.9/lib/rack/head.rb
        call - /usr/local/bundle/bundler/gems/rack-3f2a9c/lib/rack/head.rb
        call - /home/ana/.rbenv/versions/3.3.0/lib/ruby/3.3.0/monitor.rb
        call - /usr/share/rubygems-integration/all/gems/rack-2/lib/rack.rb
        each - <internal:array>
        ",
    );
}

#[test]
fn php_programs_have_no_vendor_folder() {
    check(
        "php",
        r"
        * total Shop\Cart /srv/shop/src/Cart.php
        * total Shop\Cart C:\shop\src\Cart.php
        * {main} - /srv/shop/public/index.php
        * render - /srv/shop/wp-content/themes/shop/cart.php
        handle Symfony\Component\HttpKernel\Kernel /srv/shop/vendor/symfony/http-kernel/Kernel.php
        handle Symfony\Component\HttpKernel\Kernel C:\shop\vendor\symfony\http-kernel\Kernel.php
        handle - vendor/symfony/http-kernel/Kernel.php
        run - phar:///usr/local/bin/composer/src/Composer.php
        load - /usr/share/php/PEAR.php
        apply_filters - /srv/shop/wp-includes/class-wp-hook.php
        ",
    );
}

#[test]
fn csharp_programs_are_known_by_their_namespaces() {
    check(
        "csharp",
        r"
        * Total Shop.Cart /srv/shop/src/Cart.cs
        * Total Systematic.Cart -
        * Total Microsofter.Cart C:\src\Cart.cs
        ThrowForNonSuccess System.Runtime.CompilerServices.TaskAwaiter -
        Execute Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor -
        Deserialize Newtonsoft.Json.JsonSerializer -
        Open Npgsql.NpgsqlConnection -
        Send MediatR.Mediator -
        ",
    );
}

#[test]
fn elixir_programs_are_neither_otp_nor_dependencies() {
    let marks = |trace: &str| {
        let mut event = Event { stack_trace: Some(trace.into()), ..Event::new() };
        crate::stacktext::fill_frames(&mut event);
        InApp::default().mark(&mut event);
        let frames = event.exceptions[0].frames().iter().rev();
        frames.map(|frame| frame.in_app == Some(true)).collect::<Vec<_>>()
    };
    let trace = "** (Shop.OutOfStock) no price
    (shop 0.4.2) lib/shop/cart.ex:57: Shop.Cart.total/1
    (elixir 1.16.1) lib/enum.ex:1700: Enum.\"-map/2-lists^map/1-1-\"/2
    (phoenix 1.7.11) lib/phoenix/router.ex:484: Phoenix.Router.__call__/5
    (stdlib 5.2) gen_server.erl:1123: :gen_server.try_handle_call/4
    deps/obscure/lib/obscure.ex:3: Obscure.run/1
    lib/shop/worker.ex:3: Shop.Worker.run/1
";
    assert_eq!(marks(trace), [true, false, false, false, false, true]);
}

#[test]
fn frames_without_a_file_are_of_the_language_of_their_trace() {
    let own = |trace: &str| {
        let mut event = Event { stack_trace: Some(trace.into()), ..Event::new() };
        crate::stacktext::fill_frames(&mut event);
        InApp::default().mark(&mut event);
        let frames = event.exceptions[0].frames().iter().filter(|frame| frame.in_app == Some(true));
        frames.filter_map(|frame| frame.function.clone()).collect::<Vec<_>>()
    };
    let csharp = "Shop.CartException: no card\n   at System.String.Join(String a)\n   at Shop.Cart.Pay() in /srv/Cart.cs:line 3\n   at Shop.Program.Main(String[] args)\n";
    assert_eq!(own(csharp), ["Main", "Pay"]);
    let java = "com.shop.NoCard: no\n\tat java.base/java.lang.Object.wait(Native Method)\n\tat com.shop.Cart.pay(Cart.java:3)\n\tat com.shop.Main.main(Unknown Source)\n";
    assert_eq!(own(java), ["main", "pay"]);
    let php = "PHP Fatal error:  Uncaught NoCard: no in /srv/Cart.php:12\nStack trace:\n#0 [internal function]: {closure}('x')\n#1 /srv/main.php(8): array_map(Object(Closure), Array)\n#2 {main}\n";
    assert_eq!(own(php), ["{main}", "{closure}"]);
}
