import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** Why a request is not answered. */
export interface Refusal {
  readonly status: number;
  /** A sentence for the person at the browser; never a word of the request. */
  readonly reason: string;
}

/**
 * Looks at where a request comes from, before anything else is done. The name in `Host` stops other
 * sites that point their own name to 127.0.0.1; `Origin` stops pages of other sites.
 */
export function checkSource(
  request: Pick<IncomingMessage, 'method' | 'headers'>,
  port: number,
): Refusal | undefined {
  const { host, origin } = request.headers;
  const own = `http://127.0.0.1:${port}`;
  if (host !== `127.0.0.1:${port}`) {
    return {
      status: 403,
      reason: `Wrong host. Open the address as it was printed; it begins with ${own}`,
    };
  }
  if (request.method !== 'GET' && request.method !== 'POST') {
    return { status: 405, reason: 'DeCon Studio answers GET and POST only.' };
  }
  // Browsers name the origin of every POST; a GET without one is an address that was opened.
  const isFromElsewhere = origin === undefined ? request.method === 'POST' : origin !== own;
  if (isFromElsewhere) {
    return { status: 403, reason: 'Wrong origin. Only pages of DeCon Studio itself may ask this.' };
  }
  return undefined;
}

/** A page of another site may open the app's address, but not use its parts. */
export function isFromOtherSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** Who may use the app: browsers that opened an address with a token that nobody used before. */
export class Sessions {
  readonly #tokens = new Set<string>();
  readonly #secret = randomBytes(24).toString('base64url');
  readonly #cookieName: string;

  /** Cookies know no ports, so two servers on one machine need two names. */
  constructor(port: number) {
    this.#cookieName = `decon-${port}`;
  }

  newToken(): string {
    const token = randomBytes(24).toString('base64url');
    this.#tokens.add(token);
    return token;
  }

  /** @returns the cookie to set; undefined for a token that is wrong or was used */
  redeem(token: string): string | undefined {
    if (!this.#tokens.delete(token)) return undefined;
    return `${this.#cookieName}=${this.#secret}; HttpOnly; SameSite=Strict; Path=/`;
  }

  isKnown(headers: IncomingHttpHeaders): boolean {
    const prefix = `${this.#cookieName}=`;
    const cookies = (headers.cookie ?? '').split(';').map((part) => part.trim());
    const cookie = cookies.find((part) => part.startsWith(prefix)) ?? prefix;
    const given = Buffer.from(cookie.slice(prefix.length));
    const wanted = Buffer.from(this.#secret);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}
