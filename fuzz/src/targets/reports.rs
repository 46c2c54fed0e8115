//! Reports in JSON, in the words of each dialect.

use super::{bytes, events::prepared};
use crate::Target;
use errtrack_web::fuzzing;

pub(crate) const TARGET: Target = Target {
    name: "reports",
    run,
    seeds: |_| {
        bytes([
            r#"{"message":"Database connection failed","source":"backend","level":"error","type":"Timeout","stack_trace":"Error: Connection timeout\n at Database.connect(db.js:45)","context":{"user_id":7,"password":"hunter2"},"environment":"production","release":"1.4","tags":{"plan":"pro","n":3},"fingerprint":["{{ default }}","x"],"user_id":42,"timestamp":"2026-11-20T22:41:07Z","project":"shop","url":"https://shop.example.com/x?token=abc"}"#,
            r#"{"errorCode":"PAY-1","errorType":"PaymentError","message":"card declined","stackTrace":"at pay (cart.js:3:7)","sourceType":"frontend_web","environment":"staging","severity":"critical","userId":"u1","occurredAt":1795218780.5,"context":{"a":[1,2,{"b":null}]},"serviceName":"web","sessionId":"s-1","browserInfo":{"name":"Firefox"},"deviceInfo":{},"requestUrl":"https://api.example.com/users/1?x=2","requestMethod":"POST","requestHeaders":{"Authorization":"Bearer abc.def","X":1},"requestBody":{"card_number":"4111111111111111"},"responseStatusCode":502,"fingerprint":"f","appId":"shop"}"#,
            r#"{"project":"shop","exception_type":"ValueError","message":"invalid literal: '\ud83d'","traceback":"Traceback (most recent call last):\n  File \"cart.py\", line 3, in pay\n    charge()\nValueError: no card","environment":"production","source":"worker","user_id":null,"extra":{"n":NaN},"request_url":"/x","request_method":"GET","request_headers":{"Cookie":"session=1"}}"#,
        ])
    },
};

fn run(data: &[u8]) {
    fuzzing::report(data).into_iter().for_each(prepared);
}
