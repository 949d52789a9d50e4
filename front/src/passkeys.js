// Passkeys: asks the browser for one and sends what it gives to the API, on the same session.
// <button data-passkey="sign-in|add|step-up" data-next="/where" data-cancelled="what to say" hidden>; the one that adds
// stands in a form with a field `name`. What goes wrong is said in #passkey-says.
const ADDRESSES = {
  "sign-in": ["/v1/sign-in/passkey-options", "/v1/sign-in/passkey"],
  "step-up": ["/v1/step-up/passkey-options", "/v1/step-up/passkey"],
  add: ["/v1/passkeys/options", "/v1/passkeys"],
};

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.detail), { code: told.code });
  return told;
}

async function prove(button) {
  const kind = button.dataset.passkey;
  const [ask, answer] = ADDRESSES[kind];
  const make = kind === "add";
  const name = make ? button.form.elements.name.value.trim() : "";
  if (make && !name) throw new Error(button.dataset.unnamed);
  const asked = await send(ask);
  const options = make
    ? PublicKeyCredential.parseCreationOptionsFromJSON(asked.options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const credential = make
    ? await navigator.credentials.create({ publicKey: options })
    : await navigator.credentials.get({ publicKey: options });
  const body = { challenge_id: asked.challenge_id, credential: credential.toJSON() };
  if (make) body.name = name;
  if (kind === "sign-in") body.in_cookie = true;
  await send(answer, body);
  location.assign(button.dataset.next);
}

async function attempt(button) {
  const place = document.getElementById("passkey-says");
  place.textContent = "";
  button.disabled = true;
  try {
    await prove(button);
  } catch (error) {
    if (error.code === "step_up_needed") {
      location.assign(`/step-up?next=${encodeURIComponent(location.pathname)}`);
    } else {
      const isCancelled = error.name === "NotAllowedError" || error.name === "AbortError";
      place.textContent = isCancelled ? button.dataset.cancelled : error.message;
    }
  } finally {
    button.disabled = false;
  }
}

export function offer(root) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  for (const button of root.querySelectorAll("button[data-passkey]")) {
    if (button.dataset.ready) continue;
    button.dataset.ready = "yes";
    button.hidden = false;
    const form = button.closest("form[data-passkey-form]");
    if (form) form.hidden = false;
    (form ?? button).addEventListener(form ? "submit" : "click", (event) => {
      event.preventDefault();
      attempt(button);
    });
  }
}
