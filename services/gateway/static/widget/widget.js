/**
 * A web chat for any page: one script, one element, nothing else on the page.
 *
 *   <webchat-widget agent-id="webchat_…" primary-color="#3B82F6" secondary-color="#EFF6FF"></webchat-widget>
 *   <script src="https://chat.example/widget.js" async></script>
 *
 * Attributes  agent-id · primary-color · secondary-color (#rrggbb) · language (en es pt fr hi ar) · heading · greeting
 *             theme (auto light dark) · position (right left). What is left out is as the channel is set up.
 * Methods     open() · close() · send(text) · reset() · identify({external_id, proof, name?, email?})
 * Events      webchat:open · :close · :ready · :message {author, text} · :handover {handled_by} · :error {code}
 * Style       --webchat-primary, --webchat-font, --webchat-radius … (see `:host` below), and parts:
 *             launcher panel header title transcript message composer input send
 *
 * Nothing is asked of the server before the widget is opened. It keeps no cookie; what it stores is in localStorage.
 */
(() => {
  "use strict";

  const SCRIPT = document.currentScript?.src || document.querySelector('script[src*="/widget.js"]')?.src;
  const TAG = "webchat-widget";
  if (!SCRIPT || customElements.get(TAG)) return; // loaded twice does no harm

  const API = new URL("webchat/", SCRIPT).href;
  const LONGEST_TEXT = 4000;
  const SILENCE_MS = 40_000; // the server pings every 15 s; a stream that is silent for longer is dead
  const FIRST_EVENT_MS = 8_000; // a proxy that holds events back for longer lets no stream through
  const TYPING_MS = 90_000;
  const FULL_SCREEN = "(max-width: 479px)";

  // ── Texts ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @typedef {Record<string, string>} Texts */
  const KEYS = [
    "chat", "open", "close", "input", "send", "retry", "failed", "waiting", "offline",
    "human", "agent", "unavailable", "you", "older", "unread", "transcript", "tab",
  ];
  const CATALOGUES = {
    en: "Chat|Open chat|Close chat|Write a message|Send|Try again|Not sent|Waiting to be sent|No connection. Trying again…|A person is with you now|The assistant is with you again|This chat is not available here|You|Earlier messages|new|Conversation|opens in a new tab",
    es: "Chat|Abrir el chat|Cerrar el chat|Escribe un mensaje|Enviar|Reintentar|No enviado|Pendiente de envío|Sin conexión. Reintentando…|Ahora te atiende una persona|Te atiende de nuevo el asistente|Este chat no está disponible aquí|Tú|Mensajes anteriores|nuevos|Conversación|se abre en otra pestaña",
    pt: "Chat|Abrir o chat|Fechar o chat|Escreva uma mensagem|Enviar|Tentar de novo|Não enviada|Aguardando envio|Sem conexão. Tentando de novo…|Agora uma pessoa atende você|O assistente atende você de novo|Este chat não está disponível aqui|Você|Mensagens anteriores|novas|Conversa|abre em outra aba",
    fr: "Discussion|Ouvrir la discussion|Fermer la discussion|Écrivez un message|Envoyer|Réessayer|Non envoyé|En attente d’envoi|Pas de connexion. Nouvel essai…|Une personne vous répond maintenant|L’assistant vous répond de nouveau|Cette discussion n’est pas disponible ici|Vous|Messages précédents|nouveaux|Conversation|s’ouvre dans un nouvel onglet",
    hi: "चैट|चैट खोलें|चैट बंद करें|संदेश लिखें|भेजें|फिर कोशिश करें|नहीं भेजा गया|भेजे जाने की प्रतीक्षा में|कनेक्शन नहीं है। फिर कोशिश हो रही है…|अब एक व्यक्ति आपके साथ है|सहायक फिर आपके साथ है|यह चैट यहाँ उपलब्ध नहीं है|आप|पहले के संदेश|नए|बातचीत|नए टैब में खुलता है",
    ar: "محادثة|فتح المحادثة|إغلاق المحادثة|اكتب رسالة|إرسال|إعادة المحاولة|لم تُرسل|بانتظار الإرسال|لا يوجد اتصال. تتم إعادة المحاولة…|يتحدث معك شخص الآن|عاد المساعد للتحدث معك|هذه المحادثة غير متاحة هنا|أنت|رسائل أقدم|جديدة|المحادثة|يُفتح في علامة تبويب جديدة",
  };
  const RIGHT_TO_LEFT = new Set(["ar"]);

  /** The first of the languages that there is a catalogue for. @param {(string | null | undefined)[]} wanted */
  const languageOf = (wanted) =>
    wanted.map((tag) => (tag || "").slice(0, 2).toLowerCase()).find((tag) => Object.hasOwn(CATALOGUES, tag)) || "en";

  /** @param {string} language @returns {Texts} */
  const textsIn = (language) => {
    const words = CATALOGUES[language].split("|");
    return Object.fromEntries(KEYS.map((key, index) => [key, words[index]]));
  };

  // ── Colours (WCAG 2.2: contrast of text 4.5:1) ──────────────────────────────────────────────────────────────────

  const HEX = /^#[0-9a-f]{6}$/i;
  /** @param {string} hex */
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  /** @param {string} hex */
  const luminance = (hex) => {
    const [r, g, b] = channels(hex).map((c) => (c / 255 <= 0.04045 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  /** @param {string} a @param {string} b */
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  /** @param {string} a @param {string} b @param {number} share of `b` */
  const mixed = (a, b, share) => {
    const other = channels(b);
    const part = channels(a).map((c, i) => Math.round(c + (other[i] - c) * share));
    return "#" + part.map((c) => c.toString(16).padStart(2, "0")).join("");
  };
  /** Black or white, whichever reads better: one of them always has 4.5:1. @param {string} ground */
  const readableOn = (ground) => (contrast(ground, "#ffffff") >= 4.5 ? "#ffffff" : "#000000");
  /** The colour, moved away from the ground until it can be read there. @param {string} colour @param {string} ground */
  const readable = (colour, ground) => {
    const end = luminance(ground) > 0.4 ? "#000000" : "#ffffff";
    for (let share = 0; share < 1; share += 0.1) {
      const tried = mixed(colour, end, share);
      if (contrast(tried, ground) >= 4.5) return tried;
    }
    return end;
  };

  // ── Building DOM: text is only ever text ────────────────────────────────────────────────────────────────────────

  /**
   * An element. Properties that are functions are listeners, the others attributes.
   * @param {string} tag @param {Record<string, any>} [given] @param {...(Node | string)} children
   */
  const el = (tag, given = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (typeof value === "function") made.addEventListener(name, value);
      else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };

  /** @param {string} path */
  const icon = (path) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };
  const BUBBLE = "M4 5h16v11H9l-5 4z";
  const CROSS = "M6 6l12 12M18 6L6 18";
  const ARROW = "M4 12h15M13 6l6 6-6 6";

  // ── Markdown, as far as chat needs it ───────────────────────────────────────────────────────────────────────────

  const INLINE =
    /\*\*([^*\n]{1,999})\*\*|`([^`\n]{1,999})`|\*([^*\s][^*\n]{0,999})\*|\[([^\]\n]{1,300})\]\((https?:\/\/[^\s)]{1,2000})\)|(https?:\/\/[^\s<>"'`]{1,2000})/gi;

  /** @param {string} address @param {string} text @param {Texts} texts */
  const link = (address, text, texts) => {
    let url;
    try {
      url = new URL(address);
    } catch {
      return text;
    }
    if (url.protocol !== "https:" && url.protocol !== "http:") return text;
    const rel = "noopener noreferrer nofollow";
    return el("a", { href: url.href, target: "_blank", rel }, text, el("span", { class: "hidden" }, ` (${texts.tab})`));
  };

  /** @param {string} text @param {Texts} texts @returns {(Node | string)[]} */
  const inline = (text, texts) => {
    const parts = [];
    let end = 0;
    for (const found of text.matchAll(INLINE)) {
      const [whole, bold, code, italic, label, address, bare] = found;
      parts.push(text.slice(end, found.index));
      end = found.index + whole.length;
      if (bold) parts.push(el("strong", {}, ...inline(bold, texts)));
      else if (code) parts.push(el("code", {}, code));
      else if (italic) parts.push(el("em", {}, ...inline(italic, texts)));
      else if (label) parts.push(link(address, label, texts));
      else {
        const tail = /[.,;:!?)\]]*$/.exec(bare)[0]; // a sentence's end is no part of the address
        const plain = bare.slice(0, bare.length - tail.length);
        parts.push(link(plain, plain, texts), tail);
      }
    }
    parts.push(text.slice(end));
    return parts;
  };

  /** Paragraphs, lists, code. @param {string} text @param {Texts} texts */
  const markdown = (text, texts) => {
    const out = document.createDocumentFragment();
    text.split(/^```[^\n]*$/m).forEach((part, index) => {
      if (index % 2) return void out.append(el("pre", { tabindex: "0" }, part.trim()));
      /** @type {HTMLElement | null} */
      let block = null;
      for (const line of part.split("\n")) {
        const item = /^\s{0,6}(?:[-*•]|(\d{1,3})[.)])\s+(.*)$/.exec(line);
        const tag = !line.trim() ? null : item ? (item[1] ? "ol" : "ul") : "p";
        if (tag !== block?.localName) {
          block = tag && el(tag, item?.[1] ? { start: item[1] } : {});
          if (block) out.append(block);
        } else if (tag === "p") block.append(el("br"));
        if (item) block.append(el("li", {}, ...inline(item[2], texts)));
        else if (tag) block.append(...inline(line, texts));
      }
    });
    return out;
  };

  // ── Talking to the server ───────────────────────────────────────────────────────────────────────────────────────

  /** A refusal by the server; a request that did not reach it fails with the browser's own error. */
  class Refusal extends Error {
    /** @param {number} status @param {string} code @param {number} retryAfter seconds */
    constructor(status, code, retryAfter) {
      super(code);
      Object.assign(this, { status, code, retryAfter });
    }
    /** Whether trying again changes nothing. */
    get isFinal() {
      return this.status >= 400 && this.status < 500 && ![401, 408, 429].includes(this.status);
    }
  }

  /** Storage that may be forbidden. */
  const store = {
    /** @param {string} key */
    get(key) {
      try {
        return JSON.parse(localStorage.getItem(key) || "null");
      } catch {
        return null;
      }
    },
    /** @param {string} key @param {any} value null removes */
    set(key, value) {
      try {
        if (value === null) localStorage.removeItem(key);
        else localStorage.setItem(key, JSON.stringify(value));
      } catch {
        /* then it lasts as long as the page */
      }
    },
  };

  /** @param {number} attempt @returns {number} milliseconds: 0.5 s doubling to 30 s, of which a random half to all */
  const backOff = (attempt) => Math.min(30_000, 500 * 2 ** attempt) * (0.5 + Math.random() / 2);

  /** One visitor's session on one channel, and the stream of what is said in it. */
  class Connection {
    /** @param {string} webchatId @param {(name: string, data: any) => void} hear */
    constructor(webchatId, hear) {
      this.url = `${API}${encodeURIComponent(webchatId)}/`;
      this.key = `waapi.webchat.${webchatId}`;
      this.hear = hear;
      const kept = store.get(this.key);
      this.session = typeof kept?.token === "string" ? kept : null; // {token, session_id}
      this.position = 0;
      this.polling = false;
      this.stopping = new AbortController();
    }

    /** @param {string} path @param {object} [body] a POST @param {RequestInit} [more] */
    async request(path, body, more = {}) {
      /** @type {Record<string, string>} */
      const headers = { ...more.headers };
      if (this.session) headers.Authorization = `Bearer ${this.session.token}`;
      if (body) headers["Content-Type"] = "application/json";
      const answer = await fetch(this.url + path, {
        method: body ? "POST" : "GET",
        body: body && JSON.stringify(body),
        credentials: "omit",
        cache: "no-store",
        signal: this.stopping.signal,
        ...more,
        headers,
      });
      if (answer.ok) return answer;
      const told = await answer.json().catch(() => ({}));
      throw new Refusal(answer.status, told.code || "error", Number(answer.headers.get("Retry-After")) || 0);
    }

    /** Open a session or take it up again; what the channel looks like. @param {object | null} identity */
    async open(identity) {
      const answer = await this.request("sessions", identity ? { identity } : {});
      const { token, session_id, channel } = (await answer.json()).data;
      if (this.session?.session_id !== session_id) this.position = 0;
      this.session = { token, session_id };
      store.set(this.key, this.session);
      return channel;
    }

    /** Do it; with a fresh session once more when this one has expired. @param {() => Promise<any>} work */
    async withSession(work) {
      try {
        return await work();
      } catch (error) {
        if (error.status !== 401) throw error;
        const before = this.session?.session_id;
        await this.open(this.identity || null);
        if (before !== this.session.session_id) this.hear("anew", {});
        return work();
      }
    }

    /** @param {string} client_message_id @param {string} text */
    async post(client_message_id, text) {
      const answer = await this.withSession(() => this.request("messages", { client_message_id, text }));
      return (await answer.json()).data;
    }

    /** The newest entries, before a position. @param {number} [before] */
    async history(before) {
      const path = `messages?limit=50${before ? `&before=${before}` : ""}`;
      return (await (await this.withSession(() => this.request(path))).json()).data;
    }

    /** Tell of everything from now on, until stopped; whatever breaks is taken up where it broke. */
    async follow() {
      for (let attempt = 0; !this.stopping.signal.aborted; attempt++) {
        try {
          await this.withSession(() => (this.polling ? this.poll() : this.stream(() => (attempt = 0))));
          attempt = this.polling ? -1 : attempt;
        } catch (error) {
          if (this.stopping.signal.aborted) return;
          if (error.isFinal) return this.hear("refused", error);
          this.hear("offline", error);
        }
        if (attempt >= 0) await this.pause(backOff(attempt));
      }
    }

    /** @param {() => void} onReady */
    async stream(onReady) {
      const breaking = new AbortController();
      const end = () => breaking.abort();
      this.stopping.signal.addEventListener("abort", end, { once: true });
      let isReady = false;
      let watch = setTimeout(end, FIRST_EVENT_MS);
      try {
        const headers = { Accept: "text/event-stream", "Last-Event-ID": String(this.position) };
        const answer = await this.request("events", undefined, { headers, signal: breaking.signal });
        const reader = answer.body.getReader();
        const decoder = new TextDecoder();
        for (let text = ""; ; ) {
          const { done, value } = await reader.read();
          if (done) return;
          clearTimeout(watch);
          watch = setTimeout(end, SILENCE_MS);
          const events = (text + decoder.decode(value, { stream: true })).split("\n\n");
          text = events.pop() || "";
          for (const event of events) {
            const name = this.take(event);
            if (name !== "ready") continue;
            isReady = true;
            onReady();
          }
        }
      } catch (error) {
        // Reached, but held back: from now on ask for entries instead.
        if (breaking.signal.aborted && !isReady && navigator.onLine) this.polling = true;
        throw error;
      } finally {
        clearTimeout(watch);
        this.stopping.signal.removeEventListener("abort", end);
      }
    }

    /** One event's lines. @param {string} text */
    take(text) {
      const lines = text.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (name && data) this.tell(name, JSON.parse(data));
      return name;
    }

    /** @param {string} name @param {any} data */
    tell(name, data) {
      if (data.position) this.position = Math.max(this.position, data.position);
      this.hear(name, data);
    }

    async poll() {
      const answer = await this.request(`events?wait=25&after=${this.position}`);
      const { entries, last_position } = (await answer.json()).data;
      for (const entry of entries) this.tell("entry", entry);
      this.tell("ready", { position: last_position });
    }

    /** @param {number} ms or until the browser is online again */
    pause(ms) {
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          removeEventListener("online", wake);
          this.stopping.signal.removeEventListener("abort", wake);
          resolve(undefined);
        };
        const timer = setTimeout(wake, ms);
        addEventListener("online", wake);
        this.stopping.signal.addEventListener("abort", wake);
      });
    }

    stop() {
      this.stopping.abort();
    }
  }

  // ── Looks ───────────────────────────────────────────────────────────────────────────────────────────────────────

  const SHEET = new CSSStyleSheet();
  SHEET.replaceSync(`
    :host { --webchat-font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; --webchat-radius: 16px;
      --webchat-z-index: 2147483000; --webchat-width: 380px; --webchat-height: 620px; --webchat-gap: 20px;
      position: fixed; inset-block-end: var(--webchat-gap); right: var(--webchat-gap); z-index: var(--webchat-z-index);
      font: 15px/1.45 var(--webchat-font); text-align: start; letter-spacing: normal; color-scheme: light; }
    :host([data-left]) { right: auto; left: var(--webchat-gap); }
    :host([data-dark]) { color-scheme: dark; }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    button, textarea { font: inherit; color: inherit; letter-spacing: inherit; }
    button { cursor: pointer; border: 0; background: none; padding: 0; }
    :focus { outline: none; }
    :focus-visible { outline: 3px solid var(--webchat-accent); outline-offset: 2px; }
    svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round;
      stroke-linejoin: round; }
    .launcher { position: relative; display: grid; place-items: center; width: 60px; height: 60px; border-radius: 50%;
      background: var(--webchat-primary); color: var(--webchat-on-primary); border: 2px solid transparent;
      box-shadow: 0 6px 20px rgb(0 0 0 / .25), 0 0 0 1px rgb(255 255 255 / .5); transition: transform .15s; }
    .launcher:hover { transform: scale(1.05); }
    .launcher:focus-visible { outline-color: var(--webchat-primary); box-shadow: 0 0 0 2px #fff; }
    .badge { position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-width: 22px; padding: 0 6px;
      border-radius: 11px; background: #b91c1c; color: #fff; font-size: 13px; line-height: 22px; text-align: center; }
    .panel { position: absolute; inset-block-end: 74px; right: 0; display: flex; flex-direction: column;
      width: min(var(--webchat-width), calc(100vw - 2 * var(--webchat-gap)));
      height: min(var(--webchat-height), calc(100dvh - 74px - 2 * var(--webchat-gap)));
      background: var(--webchat-background); color: var(--webchat-text); border: 1px solid var(--webchat-line);
      border-radius: var(--webchat-radius); box-shadow: 0 16px 48px rgb(0 0 0 / .25); overflow: hidden;
      animation: rise .18s ease-out; }
    :host([data-left]) .panel { right: auto; left: 0; }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    header { display: flex; align-items: center; gap: 8px; padding: 12px 16px; background: var(--webchat-primary);
      color: var(--webchat-on-primary); }
    header h2 { flex: 1; margin: 0; font-size: 17px; font-weight: 650; overflow-wrap: anywhere; }
    header button { display: grid; place-items: center; width: 36px; height: 36px; border-radius: 10px; }
    header button:focus-visible { outline-color: currentColor; outline-offset: -3px; }
    .scroll { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; }
    .scroll:focus-visible { outline-offset: -3px; }
    .log, .live { display: flex; flex-direction: column; gap: 8px; }
    .live { margin-top: 8px; }
    .message { max-width: 85%; padding: 9px 13px; border-radius: 16px; overflow-wrap: anywhere; align-self: flex-start;
      background: var(--webchat-secondary); color: var(--webchat-on-secondary); border-end-start-radius: 4px; }
    .message.visitor { align-self: flex-end; background: var(--webchat-primary); color: var(--webchat-on-primary);
      border-end-start-radius: 16px; border-end-end-radius: 4px; white-space: pre-wrap; }
    .message.human { border-inline-start: 3px solid var(--webchat-accent); }
    .message :is(p, ul, ol, pre) { margin: 0 0 6px; }
    .message :is(p, ul, ol, pre):last-child { margin-bottom: 0; }
    .message :is(ul, ol) { padding-inline-start: 22px; }
    .message pre { overflow-x: auto; padding: 8px; border-radius: 8px; background: rgb(0 0 0 / .08); white-space: pre; }
    .message a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
    .state { align-self: flex-end; display: flex; gap: 8px; align-items: center; color: var(--webchat-muted); font-size: 13px; }
    .state button { min-height: 24px; padding: 2px 8px; border-radius: 8px; color: var(--webchat-accent); text-decoration: underline; }
    .notice, .more { align-self: center; margin: 4px 0; color: var(--webchat-muted); font-size: 13px; text-align: center; }
    .more { min-height: 28px; padding: 4px 12px; text-decoration: underline; }
    .dots { display: flex; gap: 4px; padding: 14px; }
    .dots i { width: 7px; height: 7px; border-radius: 50%; background: currentColor; animation: dot 1.2s infinite both; }
    .dots i:nth-child(2) { animation-delay: .15s; } .dots i:nth-child(3) { animation-delay: .3s; }
    @keyframes dot { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
    .quick { display: flex; flex-wrap: wrap; gap: 8px; padding: 0 16px 12px; }
    .quick button { min-height: 34px; padding: 5px 13px; border: 1px solid var(--webchat-accent); border-radius: 17px;
      color: var(--webchat-accent); text-align: start; overflow-wrap: anywhere; }
    .banner { margin: 0; padding: 6px 16px; font-size: 13px; background: var(--webchat-line); text-align: center; }
    .banner:empty { display: none; }
    form { display: flex; align-items: flex-end; gap: 8px; padding: 10px 12px; border-top: 1px solid var(--webchat-line); }
    textarea { flex: 1; min-height: 42px; max-height: 132px; padding: 9px 12px; resize: none; border-radius: 12px;
      border: 1px solid var(--webchat-muted); background: transparent; field-sizing: content; }
    textarea::placeholder { color: var(--webchat-muted); opacity: 1; }
    textarea:focus-visible { outline-offset: 0; }
    .send { display: grid; place-items: center; width: 42px; height: 42px; border-radius: 12px;
      background: var(--webchat-primary); color: var(--webchat-on-primary); }
    .send:dir(rtl) svg { transform: scaleX(-1); }
    @media ${FULL_SCREEN} {
      .panel { position: fixed; inset: 0 !important; width: 100%; height: 100dvh; border: 0; border-radius: 0; }
      .panel:not([hidden]) + .launcher { visibility: hidden; }
      textarea { font-size: 16px; }
    }
    @media (prefers-reduced-motion: reduce) { *, .launcher { animation: none !important; transition: none !important; } }
    @media (forced-colors: active) {
      .launcher, .panel, .message, .send, textarea, .quick button { border: 1px solid; }
      .message.visitor, .send, .launcher, header { forced-color-adjust: none; background: Highlight; color: HighlightText; }
      .dots i { background: CanvasText; }
    }`);

  const PAPER = { light: ["#ffffff", "#14171f", "#5b6472", "#e4e7ec"], dark: ["#15181f", "#f1f3f7", "#a2acbb", "#303643"] };

  /** The custom properties that follow from two colours. @param {string} primary @param {string} secondary */
  const palette = (primary, secondary, isDark) => {
    const [background, text, muted, line] = PAPER[isDark ? "dark" : "light"];
    const soft = isDark ? mixed(background, secondary, 0.14) : secondary; // a light colour would glare
    const values = {
      background, text, muted, line, primary, secondary: soft,
      "on-primary": readableOn(primary), "on-secondary": readableOn(soft), accent: readable(primary, background),
    };
    return `:host { ${Object.entries(values).map(([name, value]) => `--webchat-${name}: ${value};`).join(" ")} }`;
  };

  // ── The element ─────────────────────────────────────────────────────────────────────────────────────────────────

  class WebchatWidget extends HTMLElement {
    static observedAttributes = [
      "agent-id", "primary-color", "secondary-color", "language", "heading", "greeting", "theme", "position",
    ];

    /** @type {Connection | null} */
    #connection = null;
    #channel = {};
    #identity = null;
    #colours = new CSSStyleSheet();
    #prefersDark = matchMedia("(prefers-color-scheme: dark)");
    #paint = () => this.#refresh();
    /** @type {{id: string, text: string, failed?: boolean}[]} what the visitor wrote and the server has not */
    #outbox = [];
    #isSending = false;
    #sendTimer = 0;
    #typingTimer = 0;
    #live = { turn: "", text: "", frame: 0 };
    #unread = 0;
    #isReady = false;
    /** @type {Record<string, any>} the elements that change */
    #dom = {};

    connectedCallback() {
      if (!this.shadowRoot) {
        this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET, this.#colours];
        const toggle = () => (this.isOpen ? this.close() : this.open());
        this.#dom.launcher = el("button", {
          type: "button", class: "launcher", part: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", click: toggle,
        });
        this.shadowRoot.append(this.#dom.launcher);
      }
      const others = [...document.querySelectorAll(TAG)].indexOf(this);
      if (others > 0) this.style.setProperty("margin-block-end", `${others * 76}px`); // each launcher has its place
      this.#prefersDark.addEventListener("change", this.#paint);
      this.#refresh();
    }

    disconnectedCallback() {
      this.#prefersDark.removeEventListener("change", this.#paint);
      this.#disconnect();
    }

    /** @param {string} name @param {string | null} before @param {string | null} now */
    attributeChangedCallback(name, before, now) {
      if (before === now || !this.shadowRoot) return;
      if (name === "agent-id") this.#begin();
      else this.#refresh();
    }

    get isOpen() {
      return Boolean(this.#dom.panel && !this.#dom.panel.hidden);
    }

    /** Show the conversation; the first time this is what connects. */
    open() {
      if (this.isOpen || !this.shadowRoot) return;
      if (!this.#dom.panel) this.#build();
      this.#dom.panel.hidden = false;
      this.#unread = 0;
      this.#refresh();
      this.#connect();
      this.#dom.input.focus();
      this.#scrollDown();
      this.#emit("open", {});
    }

    /** Hide it again; it goes on listening. */
    close() {
      if (!this.isOpen) return;
      this.#dom.panel.hidden = true;
      this.#refresh();
      this.#dom.launcher.focus();
      this.#emit("close", {});
    }

    /** Send a text as the visitor. @param {string} text */
    send(text) {
      const trimmed = String(text).trim().slice(0, LONGEST_TEXT);
      if (!trimmed) return;
      if (!this.#dom.panel) this.#build();
      const id = `c_${crypto.getRandomValues(new Uint32Array(4)).join("_")}`;
      this.#outbox.push({ id, text: trimmed });
      this.#keepOutbox();
      this.#showMessage({ author: "visitor", text: trimmed, client_message_id: id });
      this.#dom.quick.replaceChildren();
      this.#connect();
      this.#flush();
    }

    /** Forget this visitor and begin anew. */
    reset() {
      if (this.#connection) store.set(this.#connection.key, null);
      this.#outbox = [];
      this.#keepOutbox();
      this.#begin();
    }

    /** Say who the visitor is, proven by the site's back end. @param {object | null} identity */
    identify(identity) {
      this.#identity = identity;
      if (this.#connection) this.#begin();
    }

    // ── Building and looks ──

    #build() {
      const { texts } = this;
      const dom = this.#dom;
      dom.title = el("h2", { id: "title", part: "title" });
      dom.close = el("button", { type: "button", click: () => this.close() }, icon(CROSS));
      dom.more = el("button", { type: "button", class: "more", hidden: true, click: () => this.#older() });
      dom.greeting = el("div", { class: "message agent", part: "message message-agent", hidden: true });
      dom.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-busy": "true" }, dom.more, dom.greeting);
      dom.live = el("div", { class: "live", "aria-hidden": "true" });
      dom.scroll = el("div", { class: "scroll", part: "transcript", role: "region", tabindex: "0" }, dom.log, dom.live);
      dom.quick = el("div", { class: "quick" });
      dom.banner = el("p", { class: "banner", role: "status" });
      dom.input = el("textarea", { part: "input", rows: "1", maxlength: String(LONGEST_TEXT), dir: "auto", enterkeyhint: "send" });
      dom.send = el("button", { class: "send", part: "send" }, icon(ARROW));
      const submit = (event) => {
        event.preventDefault();
        this.send(dom.input.value);
        dom.input.value = "";
        dom.input.focus();
      };
      dom.input.addEventListener("keydown", (event) => {
        // An input method's Enter chooses a word; it does not send.
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) submit(event);
      });
      const form = el("form", { part: "composer", submit }, dom.input, dom.send);
      dom.panel = el(
        "section",
        { class: "panel", part: "panel", role: "dialog", "aria-labelledby": "title", hidden: true, keydown: (e) => this.#onKey(e) },
        el("header", { part: "header" }, dom.title, dom.close), dom.scroll, dom.quick, dom.banner, form,
      );
      this.shadowRoot.prepend(dom.panel);
      this.#takeOutbox();
    }

    get language() {
      const page = this.closest("[lang]")?.getAttribute("lang");
      return languageOf([this.getAttribute("language"), this.#channel.language, page, navigator.language]);
    }

    get texts() {
      return textsIn(this.language);
    }

    get #name() {
      return this.getAttribute("heading") || this.#channel.name || this.texts.chat;
    }

    /** Bring everything that follows from attributes, channel and state up to date. */
    #refresh() {
      const { texts, language } = this;
      const { theme = {}, greeting } = this.#channel;
      const colour = (name, given, fallback) => [this.getAttribute(name), given].find((c) => HEX.test(c || "")) || fallback;
      const mode = this.getAttribute("theme") || theme.mode || "auto";
      const isDark = mode === "dark" || (mode !== "light" && this.#prefersDark.matches);
      const primary = colour("primary-color", theme.primary_color, "#3B82F6");
      const secondary = colour("secondary-color", theme.secondary_color, "#EFF6FF");
      this.#colours.replaceSync(palette(primary, secondary, isDark));
      this.toggleAttribute("data-dark", isDark);
      this.toggleAttribute("data-left", (this.getAttribute("position") || theme.position) === "left");

      const { launcher, panel, ...dom } = this.#dom;
      const unread = this.#unread ? ` (${this.#unread} ${texts.unread})` : "";
      launcher.setAttribute("aria-expanded", String(this.isOpen));
      launcher.setAttribute("aria-label", (this.isOpen ? texts.close : texts.open) + unread);
      launcher.replaceChildren(icon(this.isOpen ? CROSS : BUBBLE));
      if (unread) launcher.append(el("span", { class: "badge", "aria-hidden": "true" }, String(this.#unread)));
      if (!panel) return;
      panel.setAttribute("lang", language);
      panel.setAttribute("dir", RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr");
      panel.setAttribute("aria-modal", String(matchMedia(FULL_SCREEN).matches));
      dom.title.textContent = this.#name;
      dom.close.setAttribute("aria-label", texts.close);
      dom.send.setAttribute("aria-label", texts.send);
      dom.input.setAttribute("aria-label", texts.input);
      dom.input.setAttribute("placeholder", texts.input);
      dom.scroll.setAttribute("aria-label", texts.transcript);
      dom.more.textContent = texts.older;
      const welcome = this.getAttribute("greeting") || greeting || "";
      dom.greeting.hidden = !welcome || !dom.more.hidden;
      dom.greeting.replaceChildren(markdown(welcome, texts));
    }

    /** @param {KeyboardEvent} event */
    #onKey(event) {
      if (event.key === "Escape" && !event.isComposing) {
        event.stopPropagation();
        this.close();
      }
      if (event.key !== "Tab" || !matchMedia(FULL_SCREEN).matches) return;
      const stops = [...this.#dom.panel.querySelectorAll("button, textarea, a, [tabindex='0']")].filter((each) => each.offsetParent);
      const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
      if (this.shadowRoot.activeElement !== edge) return;
      event.preventDefault(); // the page behind a full screen cannot be seen
      (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
    }

    #scrollDown() {
      this.#dom.scroll.scrollTop = this.#dom.scroll.scrollHeight;
    }

    /** Do something to the transcript, and stay at its end if that is where the visitor is. @param {() => void} change */
    #keepingPlace(change) {
      const { scroll } = this.#dom;
      const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
      change();
      if (isAtEnd) this.#scrollDown();
    }

    /** @param {string} name @param {object} detail */
    #emit(name, detail) {
      this.dispatchEvent(new CustomEvent(`webchat:${name}`, { bubbles: true, composed: true, detail }));
    }

    // ── Connecting ──

    #connect() {
      const id = this.getAttribute("agent-id");
      if (this.#connection || !id || !this.isConnected) return;
      const connection = new Connection(id, (name, data) => {
        if (connection === this.#connection) this.#hear(name, data);
      });
      this.#connection = connection;
      connection.identity = this.#identity;
      void this.#start(connection);
    }

    #disconnect() {
      this.#connection?.stop();
      this.#connection = null;
      clearTimeout(this.#sendTimer);
    }

    /** Another channel or visitor: nothing of the one before is left on the screen. */
    #begin() {
      this.#disconnect();
      this.#channel = {};
      this.#isReady = false;
      if (!this.#dom.panel) return this.#refresh();
      this.#clear();
      this.#takeOutbox();
      this.#refresh();
      if (this.isOpen) this.#connect();
    }

    #clear() {
      for (const line of this.#dom.log.querySelectorAll("[data-position]")) line.remove();
      this.#dom.quick.replaceChildren();
      this.#dom.more.hidden = true;
      this.#dom.banner.textContent = "";
      this.#endAnswer();
    }

    /** Open the session, show what was said, then follow. @param {Connection} connection */
    async #start(connection) {
      for (let attempt = 0; connection === this.#connection; attempt++) {
        try {
          const channel = await connection.open(this.#identity);
          const past = await connection.history();
          if (connection !== this.#connection) return;
          this.#channel = channel;
          this.#keepingPlace(() => this.#showPast(past));
          connection.position = past.last_position;
          void connection.follow();
          return;
        } catch (error) {
          if (connection !== this.#connection) return;
          if (error.isFinal) return this.#hear("refused", error);
          if (error.status === 401) connection.session = null;
          this.#hear("offline", error);
          await connection.pause(Math.max(backOff(attempt), (error.retryAfter || 0) * 1000));
        }
      }
    }

    /** @param {{entries: any[], has_more: boolean}} past */
    #showPast(past) {
      this.#dom.more.hidden = !past.has_more;
      past.entries.forEach((entry) => this.#showEntry(entry));
      this.#refresh();
      if (!past.entries.length && !this.#outbox.length) this.#offerReplies();
      this.#scrollDown();
    }

    async #older() {
      const { more, scroll, log } = this.#dom;
      const first = [...log.querySelectorAll("[data-position]")].map((line) => Number(line.dataset.position)).find(Boolean);
      const past = await this.#connection?.history(first).catch(() => null);
      if (!past) return;
      const below = scroll.scrollHeight - scroll.scrollTop;
      past.entries.forEach((entry) => this.#showEntry(entry));
      more.hidden = !past.has_more;
      this.#refresh();
      scroll.scrollTop = scroll.scrollHeight - below;
    }

    /** What the connection tells. @param {string} name @param {any} data */
    #hear(name, data) {
      const { banner, log } = this.#dom;
      if (name === "entry") this.#keepingPlace(() => this.#showNews(data));
      else if (name === "delta") this.#showDelta(data);
      else if (name === "anew") this.#clear();
      else if (name === "ready") {
        banner.textContent = "";
        log.setAttribute("aria-busy", "false");
        if (!this.#isReady) this.#emit("ready", {});
        this.#isReady = true;
        this.#flush();
      } else {
        banner.textContent = name === "offline" ? this.texts.offline : this.texts.unavailable;
        this.#emit("error", { code: data.code || "offline" });
        if (name === "refused") console.warn(`webchat-widget: refused (${data.code})`);
      }
    }

    // ── The transcript ──

    /** An entry that has just come. @param {any} entry */
    #showNews(entry) {
      const isNew = this.#showEntry(entry);
      if (entry.kind === "notice") this.#emit("handover", { handled_by: entry.handled_by });
      if (!isNew || entry.kind === "notice") return;
      this.#emit("message", { author: entry.author, text: entry.text });
      if (entry.author === "visitor") return;
      this.#endAnswer();
      if (!this.isOpen) this.#unread += 1;
      this.#refresh();
    }

    /** Show an entry once; false when it was there. @param {any} entry */
    #showEntry(entry) {
      const { log } = this.#dom;
      if (log.querySelector(`[data-position="${Number(entry.position)}"]`)) return false;
      if (entry.kind === "notice") {
        this.#isHuman = entry.handled_by === "human";
        this.#endAnswer();
        const text = this.#isHuman ? this.texts.human : this.texts.agent;
        this.#insert(el("p", { class: "notice", "data-position": String(entry.position) }, text));
        return true;
      }
      return this.#showMessage(entry);
    }
    #isHuman = false;

    /** @param {{author: string, text: string, position?: number, client_message_id?: string, at?: string}} message */
    #showMessage({ author, text, position, client_message_id: id, at }) {
      const mine = id && this.#find(id);
      if (mine) {
        if (position) this.#settle(id, position);
        return false;
      }
      const kind = author === "visitor" ? "visitor" : author === "human" ? "human" : "agent";
      const who = kind === "visitor" ? this.texts.you : this.#name;
      const line = el("div", {
        class: `message ${kind}`, part: `message message-${kind}`, dir: "auto", title: at ? new Date(at).toLocaleString(this.language) : null,
        "data-position": String(position || "pending"), "data-client": id || null,
      });
      line.append(el("span", { class: "hidden" }, `${who}: `), kind === "visitor" ? text : markdown(text, this.texts));
      this.#keepingPlace(() => this.#insert(line));
      if (kind === "visitor" && !position) this.#scrollDown();
      return true;
    }

    /** @param {string} id */
    #find(id) {
      return [...this.#dom.log.children].find((line) => line.dataset.client === id);
    }

    /** Put a line where its position belongs; what the server does not have yet stands last. @param {HTMLElement} line */
    #insert(line) {
      const place = Number(line.dataset.position) || Infinity;
      const later = [...this.#dom.log.children].find(
        (each) => each !== line && each.dataset.position && (Number(each.dataset.position) || Infinity) > place,
      );
      if (later && later !== line.nextElementSibling) later.before(line);
      else if (!later && this.#dom.log.lastElementChild !== line) this.#dom.log.append(line);
    }

    /** The server has one of our messages. @param {string} id @param {number} position */
    #settle(id, position) {
      this.#outbox = this.#outbox.filter((each) => each.id !== id);
      this.#keepOutbox();
      const line = this.#find(id);
      if (!line) return;
      this.#showState(id, null);
      if (line.dataset.position !== "pending") return;
      line.dataset.position = String(position);
      this.#insert(line);
      this.#showTyping();
    }

    /** The words below a message that is not sent yet. @param {string} id @param {string | null} words */
    #showState(id, words) {
      const line = this.#find(id);
      const state = line?.nextElementSibling?.matches(".state") ? line.nextElementSibling : null;
      state?.remove();
      if (!line || !words) return;
      const again = el("button", { type: "button", click: () => this.#retry(id) }, this.texts.retry);
      this.#keepingPlace(() => line.after(el("div", { class: "state" }, words, again)));
    }

    #offerReplies() {
      const offered = (this.#channel.quick_replies || []).map((text) => el("button", { type: "button", dir: "auto", click: () => this.send(text) }, text));
      this.#dom.quick.replaceChildren(...offered);
    }

    // ── The answer in the making ──

    #showTyping() {
      if (this.#isHuman || this.#live.turn) return;
      const dots = el("div", { class: "message agent dots" }, el("i"), el("i"), el("i"));
      this.#keepingPlace(() => this.#dom.live.replaceChildren(dots));
      clearTimeout(this.#typingTimer);
      this.#typingTimer = setTimeout(() => this.#endAnswer(), TYPING_MS);
    }

    /** @param {{turn_id: string, offset: number, text: string}} delta */
    #showDelta({ turn_id, offset, text }) {
      const live = this.#live;
      if (live.turn !== turn_id) Object.assign(live, { turn: turn_id, text: "" });
      live.text = live.text.slice(0, offset) + text;
      clearTimeout(this.#typingTimer);
      this.#typingTimer = setTimeout(() => this.#endAnswer(), TYPING_MS);
      // Once a frame: a model may speak faster than a screen is drawn.
      live.frame ||= requestAnimationFrame(() => {
        live.frame = 0;
        if (!live.turn) return;
        const line = el("div", { class: "message agent", part: "message message-agent", dir: "auto" }, markdown(live.text, this.texts));
        this.#keepingPlace(() => this.#dom.live.replaceChildren(line));
      });
    }

    #endAnswer() {
      clearTimeout(this.#typingTimer);
      Object.assign(this.#live, { turn: "", text: "" });
      this.#dom.live.replaceChildren();
    }

    // ── Sending ──

    get #outboxKey() {
      return `waapi.webchat.${this.getAttribute("agent-id")}.outbox`;
    }

    /** What an earlier page could not send. */
    #takeOutbox() {
      const kept = store.get(this.#outboxKey);
      this.#outbox = Array.isArray(kept) ? kept.filter(({ id, text } = {}) => /^[\w-]{1,64}$/.test(id) && text) : [];
      for (const { id, text } of this.#outbox) this.#showMessage({ author: "visitor", text, client_message_id: id });
    }

    #keepOutbox() {
      store.set(this.#outboxKey, this.#outbox.length ? this.#outbox : null);
    }

    /** @param {string} id */
    #retry(id) {
      const message = this.#outbox.find((each) => each.id === id);
      if (message) message.failed = false;
      this.#showState(id, null);
      this.#flush();
    }

    /** Send what waits, in order, one at a time: each has its id, so that a repetition is stored once. */
    async #flush(attempt = 0) {
      const connection = this.#connection;
      if (this.#isSending || !connection?.session) return;
      this.#isSending = true;
      clearTimeout(this.#sendTimer);
      for (let message; (message = this.#outbox.find((each) => !each.failed)); attempt = 0) {
        try {
          const { position } = await connection.post(message.id, message.text);
          if (connection !== this.#connection) break;
          this.#settle(message.id, position);
        } catch (error) {
          if (connection !== this.#connection) break;
          message.failed = Boolean(error.isFinal);
          this.#showState(message.id, message.failed ? this.texts.failed : this.texts.waiting);
          if (message.failed) continue;
          const wait = Math.max(backOff(attempt), (error.retryAfter || 0) * 1000);
          this.#sendTimer = setTimeout(() => this.#flush(attempt + 1), wait);
          break;
        }
      }
      this.#isSending = false;
      this.#keepOutbox();
    }
  }

  customElements.define(TAG, WebchatWidget);
})();
