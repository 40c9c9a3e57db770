import type { ServerResponse } from 'node:http';
import type { Refusal } from './access.ts';

/** Answers with a plain page in words. `reason` is our own text and never contains the request. */
export function refuse(response: ServerResponse, { status, reason }: Refusal): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    // What is left of a body that nobody reads must not be taken for the next request.
    Connection: 'close',
  });
  response.end(page('DeCon Studio did not open this', `<p>${reason}</p>`));
}

/**
 * Sends the browser on to the app. Not a redirect: after a click on another site's page, browsers
 * keep a strict cookie back until a page of ours asks.
 */
export function enter(response: ServerResponse, cookie: string): void {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Set-Cookie': cookie,
    Refresh: '0; url=/',
  });
  response.end(page('DeCon Studio', '<p><a href="/">Open DeCon Studio</a></p>'));
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${title}</title></head>
<body><h1>${title}</h1>${body}</body>
</html>
`;
}
