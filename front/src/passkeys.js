// Passkeys: asks the browser for one and sends what it gives to the API, on the same session.
// <button data-passkey="sign-in|add|step-up" data-next="/where"> with a field named `name` beside it for a new one.
const ADDRESSES = {
  "sign-in": ["/v1/sign-in/passkey-options", "/v1/sign-in/passkey"],
  "step-up": ["/v1/step-up/passkey-options", "/v1/step-up/passkey"],
  add: ["/v1/passkeys/options", "/v1/passkeys"],
};

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

async function prove(button) {
  const kind = button.dataset.passkey;
  const [ask, answer] = ADDRESSES[kind];
  const asked = await send(ask);
  const make = kind === "add";
  const options = make
    ? PublicKeyCredential.parseCreationOptionsFromJSON(asked.options)
    : PublicKeyCredential.parseRequestOptionsFromJSON(asked.options);
  const credential = make
    ? await navigator.credentials.create({ publicKey: options })
    : await navigator.credentials.get({ publicKey: options });
  const body = { challenge_id: asked.challenge_id, credential: credential.toJSON() };
  if (make) body.name = button.form.elements.name.value;
  if (kind === "sign-in") body.in_cookie = true;
  await send(answer, body);
  location.assign(button.dataset.next);
}

export function offer(button) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return;
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      await prove(button);
    } catch (error) {
      document.getElementById("passkey-says").textContent = error.message;
    }
  });
}
