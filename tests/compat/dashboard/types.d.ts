// The types that the dashboard's service speaks of, all taken from the OpenAPI document.

import type { paths } from "openapi";

type Method = "get" | "post" | "delete";
type Operation<Path extends keyof paths, Verb extends Method> = paths[Path][Verb];
type Json<Holder> = Holder extends { content: { "application/json": infer Body } } ? Body : never;
type Request<Path extends keyof paths, Verb extends Method> =
  Operation<Path, Verb> extends { requestBody: infer Body } ? Json<Body> : never;
type Answers<Path extends keyof paths, Verb extends Method> =
  Operation<Path, Verb> extends { responses: infer Responses } ? Responses : never;
type Data<Path extends keyof paths, Verb extends Method, Status extends number = 200> =
  Answers<Path, Verb> extends Record<Status, infer Answer>
    ? Json<Answer> extends { data: infer Value }
      ? Value
      : never
    : never;

type Details = Data<"/api/v1/templates/{template_id}", "get">;

declare global {
  interface ImportMeta {
    readonly env: { readonly VITE_WHATSAPP_SERVICE_URL: string };
  }

  type PhoneNumber = Data<"/api/v1/phone-numbers", "get">[number];
  type Template =
    | Data<"/api/v1/templates", "get">[number]
    | Details["template"]
    | Data<"/api/v1/templates", "post", 201>
    | Data<"/api/v1/templates/{template_id}/submit", "post">;
  type Variable = Details["variables"][number];
  type Analytics = Details["analytics"];
  type CreateTemplateRequest = Request<"/api/v1/templates", "post">;
  type SyncResult = Data<"/api/v1/templates/sync", "post">;
  type ButtonAnalytics = Data<"/api/v1/templates/{template_id}/button-clicks", "get">;
  type ButtonClick = Data<"/api/v1/button-clicks", "get">[number];
  type LeadActivity = Data<"/api/v1/leads/{customer_phone}/button-activity", "get">;
  type SendMessageRequest = Request<"/api/v1/send", "post">;
  type SendMessageResponse = Data<"/api/v1/send", "post">;
  type CreateCampaignRequest = Request<"/api/v1/campaign", "post">;
  type Campaign = Data<"/api/v1/campaign", "post", 201>;
  type CampaignStatus = Data<"/api/v1/campaign/{campaign_id}", "get">;
  type WebchatChannel = Data<"/api/v1/webchat/channels", "post", 201>;
  type WebchatEmbed = Data<"/api/v1/webchat/channels/{webchat_id}/embed", "get">;
}
