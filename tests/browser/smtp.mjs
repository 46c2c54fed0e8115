// A mail server that keeps what it is given, four times: without TLS, with STARTTLS, in TLS from the first byte on, and with
// STARTTLS and a certificate that nobody trusts. Started by tests/src/mail.rs.
//
// Says what happens as JSON, a line each, on standard output: first the ports, then who signs in and what arrives. Takes
// mails without a sign-in and without TLS too, so that a client that sends them so is noticed.
import { readFileSync } from "node:fs";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

const { FOLDER, MAIL_USER, MAIL_PASSWORD } = process.env;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const pair = (name) => ({ key: readFileSync(`${FOLDER}/${name}.key`), cert: readFileSync(`${FOLDER}/${name}.pem`) });

function start(way, options) {
  const server = new SMTPServer({
    ...options,
    authOptional: true,
    allowInsecureAuth: true,
    authMethods: ["PLAIN", "LOGIN"],
    closeTimeout: 100,
    onAuth({ username, password }, session, done) {
      const ok = username === MAIL_USER && password === MAIL_PASSWORD;
      say({ event: "login", way, secure: session.secure, user: username, ok });
      done(ok ? null : Object.assign(new Error("who are you?"), { responseCode: 535 }), { user: username });
    },
    async onData(stream, session, done) {
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      const raw = Buffer.concat(chunks);
      const mail = await PostalMime.parse(raw);
      say({
        event: "mail", way, secure: session.secure, user: session.user ?? null,
        from: session.envelope.mailFrom.address, to: session.envelope.rcptTo.map(({ address }) => address),
        headers: mail.headers.map(({ key, value }) => [key, value]),
        parts: [...raw.toString("latin1").matchAll(/^content-type: *([\w/-]+)/gim)].map(([, type]) => type.toLowerCase()),
        subject: mail.subject ?? "", text: mail.text ?? "", html: mail.html ?? "",
      });
      done();
    },
  });
  // Who does not like a certificate goes away in the middle.
  server.on("error", () => {});
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve([way, server.server.address().port])));
}

const ways = await Promise.all([
  start("plain", { disabledCommands: ["STARTTLS"], hideSTARTTLS: true }),
  start("starttls", pair("trusted")),
  start("tls", { ...pair("trusted"), secure: true }),
  start("stranger", pair("stranger")),
]);
say({ event: "ports", ...Object.fromEntries(ways) });
// Ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
