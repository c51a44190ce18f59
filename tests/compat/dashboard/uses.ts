// A dashboard's own code, with the API document's samples: it compiles only while the types say what the document does.

import * as api from "./whatsappApi";

export const draft: CreateTemplateRequest = {
  user_id: "user_456",
  phone_number_id: "pn_789",
  name: "order_update",
  category: "UTILITY",
  language: "en",
  components: [
    {
      type: "BODY",
      text: "Hi {{1}}! Your order #{{2}} status: {{3}}",
      example: { body_text: [["John", "12345", "shipped"]] },
    },
  ],
  variables: [
    {
      variable_name: "customer_name",
      position: 1,
      description: "Customer's name",
      default_value: "Customer",
      sample_value: "John",
      is_required: false,
    },
    { variable_name: "order_id", position: 2, description: "Order number", sample_value: "12345", is_required: true },
    { variable_name: "status", position: 3, default_value: "processing", sample_value: "shipped" },
  ],
};

export const message: SendMessageRequest = {
  phone_number_id: "pn_789",
  template_id: "tpl_abc123",
  contact: { phone: "+14155551234", name: "Sarah Johnson", email: "sarah@example.com", company: "TechCorp" },
  variables: { "1": "Sarah Johnson", "2": "ORD-98765", "3": "shipped" },
};

export const campaign: CreateCampaignRequest = {
  phone_number_id: "pn_789",
  template_id: "tpl_abc123",
  name: "Holiday Promo",
  auto_start: true,
  contacts: [{ phone: "+14155551234", name: "Sarah", variables: { "1": "Sarah", "2": "25%" } }],
};

export async function shown(): Promise<readonly (string | number | null | undefined)[]> {
  const numbers = await api.listPhoneNumbers("usr_456");
  const found = (await api.getTemplate("tpl_abc123")).data;
  const synced = (await api.syncTemplates("user_456", "pn_789")).data;
  const clicks = (await api.getTemplateButtonClicks("tpl_abc123")).data;
  const taps = (await api.listButtonClicks("usr_456", { templateId: "tpl_abc123", limit: 10 })).data;
  const lead = (await api.getLeadButtonActivity("+14155551234", "usr_456")).data;
  const sent = (await api.sendMessage(message)).data;
  const made = (await api.createCampaign(campaign)).data;
  const status = (await api.getCampaignStatus("camp_123")).data;
  const channels = (await api.listWebchatChannels("usr_abc123")).data;
  const embed = (await api.getWebchatEmbed("webchat_1")).data;
  return [
    numbers.data?.[0]?.display_name,
    found?.template.status,
    found?.variables[0]?.variable_name,
    found?.analytics.read_count,
    synced?.summary.totalImported,
    clicks?.buttons[0]?.unique_clicks,
    taps?.[0]?.clicked_at,
    lead?.buttons_clicked[0]?.template_name,
    sent?.credits_remaining,
    sent?.openai_conversation_id,
    made?.credits_reserved,
    status?.recipient_stats.delivered,
    channels?.channels[0]?.webchat_id,
    embed?.embed_code,
  ];
}
