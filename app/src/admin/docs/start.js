// Shows the document. A login that succeeds authorizes all other operations, so that nobody has to copy a token.
const ui = SwaggerUIBundle({
  dom_id: "#docs",
  url: "/admin/openapi.json",
  deepLinking: true,
  displayOperationId: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  responseInterceptor: (response) => {
    if (response.ok && new URL(response.url).pathname === "/admin/auth/login") {
      ui.preauthorizeApiKey("token", JSON.parse(response.text).token);
    }
    return response;
  },
});
