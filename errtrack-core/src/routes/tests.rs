use super::*;
use proptest::prelude::*;

fn of<'a>(all: &'a [RouteStatistics], method: &str, route: &str) -> &'a RouteStatistics {
    all.iter().find(|r| r.method == method && r.route == route).unwrap()
}

#[test]
fn requests_count_by_method_route_and_end() {
    let routes = Routes::default();
    for (method, route, status) in
        [("GET", "/a", 200), ("GET", "/a", 200), ("POST", "/a", 201), ("GET", "/a", 503), ("GE", "T/a", 404)]
    {
        routes.record(method, route, StatusClass::of(status), Duration::from_millis(3));
    }
    let elsewhere = routes.clone();
    elsewhere.record("GET", "/a", StatusClass::Dropped, Duration::from_secs(1));
    let all = routes.snapshot();
    assert_eq!(all.len(), 3);
    let get = of(&all, "GET", "/a");
    assert_eq!(get.count(), 4);
    assert_eq!(get.count_of(StatusClass::Success), 2);
    assert_eq!(get.count_of(StatusClass::ServerError), 1);
    assert_eq!(get.count_of(StatusClass::Dropped), 1);
    assert_eq!(get.count_of(StatusClass::ClientError), 0);
    assert_eq!(get.latencies().total(), Duration::from_millis(1_009));
    assert_eq!(of(&all, "GE", "T/a").count_of(StatusClass::ClientError), 1);
}

#[test]
fn there_are_a_thousand_routes_and_the_rest() {
    let routes = Routes::default();
    for round in 1..=2 {
        for route in 0..Routes::MOST + 500 {
            routes.record("GET", &format!("/{route}"), StatusClass::Success, Duration::ZERO);
        }
        let all = routes.snapshot();
        assert_eq!(all.len(), Routes::MOST + 1);
        assert_eq!(of(&all, "*", Routes::REST).count(), round * 500);
        assert_eq!(of(&all, "GET", "/0").count(), round, "who was there first stays");
    }
}

#[test]
fn long_names_are_cut_between_characters() {
    let routes = Routes::default();
    let long = format!("/{}", "é".repeat(500));
    routes.record("GET", &long, StatusClass::Success, Duration::ZERO);
    routes.record("GET", &long, StatusClass::Success, Duration::ZERO);
    let all = routes.snapshot();
    assert_eq!((all.len(), all[0].count(), all[0].route.len()), (1, 2, 199));
}

#[test]
fn threads_that_count_at_once_lose_nothing() {
    let routes = Routes::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..20_000_u32 {
                    let route = format!("/{}", i % 50);
                    routes.record("GET", &route, StatusClass::Success, Duration::from_micros(u64::from(i)));
                }
            });
        }
    });
    let all = routes.snapshot();
    assert_eq!((all.len(), all.iter().map(RouteStatistics::count).sum::<u64>()), (50, 80_000));
}

#[test]
fn a_point_reads_back_and_adds_up() {
    let routes = Routes::default();
    for (status, millis) in [(200, 3), (200, 40), (503, 7_000)] {
        routes.record("GET", "/orders/{id} x", StatusClass::of(status), Duration::from_millis(millis));
    }
    let first = routes.snapshot().remove(0);
    assert_eq!(RouteStatistics::from_point(&first.name(), &first.to_point()), Some(first.clone()));
    routes.record("GET", "/orders/{id} x", StatusClass::Dropped, Duration::from_millis(5));
    routes.record("GET", "/orders/{id} x", StatusClass::Success, Duration::from_millis(5));
    let all = routes.snapshot().remove(0);
    let more = all.since(&first);
    assert_eq!((more.count(), more.classes.len()), (2, 2));
    let mut sum = first;
    sum.add(&more);
    assert_eq!(sum, all);
    for (name, data) in [("GET", "{}"), ("GET /", "[]"), ("GET /", "{\"2xx\":1}")] {
        assert_eq!(RouteStatistics::from_point(name, data), None, "{data}");
    }
}

#[test]
fn every_status_has_its_class() {
    let classes = [100, 204, 301, 404, 500].map(|status| StatusClass::of(status).name());
    assert_eq!(classes, ["1xx", "2xx", "3xx", "4xx", "5xx"]);
    assert!(StatusClass::ALL.iter().enumerate().all(|(at, class)| *class as usize == at));
}

/// The place of a quantile among values, from one on.
#[expect(clippy::cast_possible_truncation, reason = "of a few hundred values")]
fn rank(q: f64, values: usize) -> usize {
    ((values as f64 * q).ceil() as usize).max(1)
}

proptest! {
    #[test]
    fn quantiles_are_as_near_as_is_said(mut nanos in prop::collection::vec(0_u64..100_000_000_000, 1..300), q in 0.0..=1.0_f64) {
        let routes = Routes::default();
        for nanos in &nanos {
            routes.record("GET", "/", StatusClass::Success, Duration::from_nanos(*nanos));
        }
        nanos.sort_unstable();
        let exact = nanos[rank(q, nanos.len()) - 1] as f64;
        let told = routes.snapshot()[0].latencies().quantile(q).unwrap().as_nanos() as f64;
        prop_assert!((told - exact).abs() <= (exact * 0.0625).max(500.0) + 1.0, "{told} for {exact}");
    }
}
